import { overlayPath } from '../../config/paths.ts';
import type { Config } from '../../config/schema.ts';
import type { Service } from '../../config/services.ts';
import type { Change, Release } from '../../model/delivery/change.ts';
import type { Approval, Deployed } from '../../model/promotion/promotion.ts';
import { GitError, type Commit, type Repository } from '../../systems/git/index.ts';
import { refused } from '../failures.ts';

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

/** The commits that a promotion brings in: the service's, and those to the overlay as it is on the protected branch by now. */
export async function commitsCarried(
  repository: Pick<Repository, 'log'>,
  change: Change,
  { service, environment, tip }: { service: Service; environment: string; tip: string },
  running: Deployed | undefined,
): Promise<Commit[]> {
  return [
    ...(await repository.log(change.commit, tip, [`${overlayPath(service, environment)}/**`])),
    ...(await commitsSince(repository, running, change, service)),
  ];
}

/**
 * The commits of a service that a promotion brings in. Nobody's may go unseen: where nothing is known to run, or what runs
 * is in the repository no more, these are all that it ever had.
 */
async function commitsSince(
  repository: Pick<Repository, 'log'>,
  running: Deployed | undefined,
  { commit }: Change,
  { paths }: Pick<Service, 'paths'>,
): Promise<Commit[]> {
  try {
    return await repository.log(running?.change.commit, commit, paths);
  } catch (error) {
    if (!running || !(error instanceof GitError) || error.kind !== 'missing') throw error;
    return repository.log(undefined, commit, paths);
  }
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
