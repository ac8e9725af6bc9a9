import { listServices, ownsPath } from '../../config/services.ts';
import type { Change } from '../../model/delivery/change.ts';
import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { positionOf } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';

/** Reads only. */
export function createResolveChanges(
  systems: Pick<Systems, 'config' | 'repository'>,
): Pick<SourceActivities, 'resolveChanges'> {
  const { config, repository } = systems;

  return {
    resolveChanges: ({ since, until }) =>
      withGit(async () => {
        const tip = until ?? (await repository.tip());
        await positionOf(systems, tip);
        const commits = /^0+$/.test(since) ? [tip] : await commitsBetween(since, tip);
        const changes = new Map<string, { change: Change; subject: string }>();
        for (const commit of commits) {
          const paths = await repository.changedPaths(commit);
          const [described] = await repository.log(undefined, commit, []);
          for (const service of listServices(config, await repository.files(commit)).values()) {
            if (!paths.some((path) => ownsPath(service, path))) continue;
            const subject = described ? subjectOf(described) : '';
            changes.set(service.name, { change: { service: service.name, commit }, subject });
          }
        }
        return [...changes.values()];
      }),
  };

  /** First-parent commits after `since` up to `tip`, oldest first. */
  async function commitsBetween(since: string, tip: string): Promise<string[]> {
    await positionOf(systems, since);
    if (since === tip) return [];
    const commits = await repository.firstParentSince(since);
    const end = commits.indexOf(tip);
    if (end < 0) throw refused(`${tip} is not after ${since}, or more than 500 commits after it.`);
    return commits.slice(0, end + 1);
  }
}
