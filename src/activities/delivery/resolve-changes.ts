import { ownsPath, type Service } from '../../config/services.ts';
import type { ResolvedChange } from '../../model/delivery/change.ts';
import type { Repository } from '../../systems/git/index.ts';
import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { positionOf, positionOn } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';
import { homeOf, homesOf, type Home } from './homes.ts';
import { knownService } from './known-service.ts';
import { withNewManifests } from './new-manifests.ts';
import { refuseRemoved, removalOf } from './removal-of.ts';
import { removedSince } from './removed-since.ts';
import { newestChanges, whatIsNew } from './what-is-new.ts';

type ResolveSystems = Pick<Systems, 'config' | 'repository' | 'sourceOf'>;

/** What forges call the tip before a branch began. */
const nothing = /^0+$/;

/** Reads only. */
export function createResolveChanges(systems: ResolveSystems): Pick<SourceActivities, 'resolveChanges'> {
  const homes = homesOf(systems);

  return {
    resolveChanges: ({ service, since, until }) =>
      withGit(async () => {
        if (service !== undefined) return changeOf(systems, service, until);
        const from = since === undefined || nothing.test(since) ? undefined : since;
        const commit = until ?? from;
        const wanted = commit === undefined ? homes : [await homeOf(homes, commit)];
        const found: ResolvedChange[] = [];
        for (const home of wanted) {
          const tip = until ?? (await home.repository.tip());
          await positionOn(home.repository, home.branch, tip);
          const services = await home.servicesAt(tip);
          const changes =
            since === undefined
              ? described(home.repository, new Map(services.map(({ name }) => [name, tip])))
              : changedSince(systems, home, { from, tip }, services);
          found.push(...(await changes));
        }
        return found;
      }),
  };
}

async function changeOf(
  systems: ResolveSystems,
  service: string,
  until: string | undefined,
): Promise<ResolvedChange[]> {
  const source = systems.sourceOf(service);
  const commit = until ?? (await source.tip());
  await positionOf(systems, { service, commit });
  if (!(await removalOf(systems, { service, commit }))) {
    await knownService(systems, service, commit);
    await refuseRemoved(systems, { service, commit });
  }
  return described(source, new Map([[service, commit]]));
}

async function changedSince(
  systems: ResolveSystems,
  { repository, branch }: Home,
  { from, tip }: { from: string | undefined; tip: string },
  services: Service[],
): Promise<ResolvedChange[]> {
  const news = await whatIsNew(repository, from, tip);
  if (!news) {
    throw refused(
      `${from} is not in the repository, or not any more since somebody rewrote ${branch}: ` +
        'nobody can say what changed after it. Deliver every service: gitops deliver --all; ' +
        `or those that you know of: gitops deliver --service <name> --commit ${tip}`,
    );
  }
  const { paths, rewritten } = news;
  const changed = services.filter((service) => paths.some((path) => ownsPath(service, path)));
  const newest = await newestChanges(repository, changed, from, tip);
  // What only left the branch has no commit of its own there: its tip is what undoes it.
  const commits = new Map(changed.map(({ name }) => [name, newest.get(name) ?? tip]));
  if (repository !== systems.repository || from === undefined)
    return described(repository, commits, rewritten);
  const names = services.map(({ name }) => name);
  const removed = await removedSince(systems, { from, tip, changed: paths }, names);
  return [
    ...(await described(repository, new Map([...commits, ...removed]), rewritten)),
    ...(await withNewManifests(systems, paths)),
  ];
}

/** @param commits by service */
async function described(
  repository: Repository,
  commits: ReadonlyMap<string, string>,
  rewritten = false,
): Promise<ResolvedChange[]> {
  const subjects = new Map<string, string>();
  for (const commit of new Set(commits.values())) {
    subjects.set(commit, subjectOf(await repository.commit(commit)));
  }
  return [...commits].map(([service, commit]) => ({
    change: { service, commit },
    subject: subjects.get(commit) ?? '',
    ...(rewritten && { again: true }),
  }));
}
