import { overlayPath } from '../../config/paths.ts';
import type { Config } from '../../config/schema.ts';
import { manifestsOnly, type Service } from '../../config/services.ts';
import type { Change, Release } from '../../model/delivery/change.ts';
import { olderOf, type Approval, type Deployed } from '../../model/promotion/promotion.ts';
import { unlessMissing, type Commit, type Repository } from '../../systems/git/index.ts';
import { refused } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** Addresses that forges make up for who hides the real one: `12+login@users.noreply.github.com`. */
const hidden = /^(?:\d+\+)?([^@+]+)@(?:[\w.-]+\.)?noreply\./i;

/**
 * Who wrote some commits: keys of `people`, else the addresses.
 *
 * @param authors `Name <e-mail>`, as commits have them
 */
export function peopleOf({ people }: Pick<Config, 'people'>, authors: string[]): string[] {
  const byEmail = new Map<string, string>();
  const byLogin = new Map<string, string>();
  for (const [name, { emails, forge }] of Object.entries(people)) {
    for (const email of emails) byEmail.set(email.toLowerCase(), name);
    if (forge !== undefined) byLogin.set(forge.toLowerCase(), name);
  }
  const found = authors.map((author) => {
    const email = (/<([^<>]*)>\s*$/.exec(author)?.[1] ?? author).trim().toLowerCase();
    const [, login = ''] = hidden.exec(email) ?? [];
    return byEmail.get(email) ?? byLogin.get(login) ?? email;
  });
  return [...new Set(found)];
}

/**
 * The commits that a promotion brings in: the service's, and those to what is rendered as it is by now: its overlay, and what
 * lies beside `base/` and the overlays.
 *
 * @param known what runs, and what was promoted last
 */
export async function commitsCarried(
  { config, repository, sourceOf }: Pick<Systems, 'config' | 'repository' | 'sourceOf'>,
  change: Change,
  { service, environment, tip }: { service: Service; environment: string; tip: string },
  { running, current }: { running: Deployed | undefined; current: Deployed | undefined },
): Promise<Commit[]> {
  const { manifests, base, releases } = service;
  // All but what is rendered as it was at the change, and what is rendered elsewhere.
  const others = [
    `${base}/**`,
    ...config.environments
      .filter(({ name }) => name !== environment)
      .map(({ name }) => `${overlayPath(service, name)}/**`),
  ];
  return [
    ...(service.source
      ? await manifestCommitsSince(repository, [running, current], tip, manifestsOnly(config, service))
      : await repository.log(change.commit, tip, [`${manifests}/**`], [...others, ...releases])),
    ...(await commitsSince(sourceOf(service.name), olderOf(running, current), change, service)),
  ];
}

/**
 * The commits of a service that a promotion brings in. Nobody's may go unseen: where nothing is known to run, or what runs
 * is in the repository no more, these are all that it ever had.
 */
export async function commitsSince(
  repository: Pick<Repository, 'log'>,
  running: Deployed | undefined,
  { commit }: Change,
  { paths, releases }: Pick<Service, 'paths' | 'releases'>,
): Promise<Commit[]> {
  return logSince(repository, running?.change.commit, commit, { paths, releases });
}

async function logSince(
  repository: Pick<Repository, 'log'>,
  from: string | undefined,
  to: string,
  { paths, releases }: Pick<Service, 'paths' | 'releases'>,
): Promise<Commit[]> {
  // A promotion's own commits are nobody's work on the service.
  const log = (since: string | undefined) => repository.log(since, to, paths, releases);
  const known = from === undefined ? undefined : await unlessMissing(log(from), undefined);
  return known ?? log(undefined);
}

/**
 * The commits to manifests that a promotion brings in, where they are in another repository than the source. What was
 * promoted last and what runs may be of different ones, of which neither's successors may go unseen.
 *
 * @param tip what is rendered: with the overlay as it is now
 * @param there the service as that repository has it
 */
async function manifestCommitsSince(
  repository: Pick<Repository, 'log'>,
  known: readonly (Deployed | undefined)[],
  tip: string,
  there: Service,
): Promise<Commit[]> {
  const found = new Map<string, Commit>();
  const starts = new Set(known.filter((deployed) => deployed !== undefined).map((one) => one.manifests));
  for (const from of starts.size === 0 ? [undefined] : starts) {
    for (const commit of await logSince(repository, from, tip, there)) found.set(commit.sha, commit);
  }
  return [...found.values()];
}

/**
 * Whose commits a promotion carries: none of them may approve it.
 *
 * @throws Refused: too few others may decide
 */
export function authorsOf(
  config: Pick<Config, 'people'>,
  commits: Commit[],
  { source }: Release,
  approval: Approval,
): string[] {
  const authors = peopleOf(config, [...commits.flatMap((commit) => commit.authors), ...source.authors]);
  if (approval.by !== 'decisions') return authors;
  const deciders = approval.deciders.filter((person) => !authors.includes(person));
  if (deciders.length >= approval.quorum) return authors;
  throw refused(
    `${approval.quorum} must approve, but of those who decide only ${deciders.join(', ') || 'nobody'} wrote none of it ` +
      `(commits: ${commits.length}). Name more people in gitops.yaml.`,
  );
}
