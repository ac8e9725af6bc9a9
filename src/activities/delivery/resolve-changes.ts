import { isIn, listServices, ownsPath, type Service } from '../../config/services.ts';
import type { ResolvedChange } from '../../model/delivery/change.ts';
import { GitError } from '../../systems/git/index.ts';
import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { positionOf } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';
import { knownService } from './known-service.ts';
import { removalOf } from './removal-of.ts';

/** Who changed nothing in so many commits of the branch is not looked for any further: its tip holds the same. */
const mostSearched = 10_000;

/** What forges call the tip before a branch began. */
const nothing = /^0+$/;

/** Reads only. */
export function createResolveChanges(
  systems: Pick<Systems, 'config' | 'repository'>,
): Pick<SourceActivities, 'resolveChanges'> {
  const { config, repository } = systems;

  return {
    resolveChanges: ({ service, since, until }) =>
      withGit(async () => {
        const tip = until ?? (await repository.tip());
        await positionOf(systems, tip);
        if (service !== undefined) {
          if (!(await removalOf(systems, { service, commit: tip }))) {
            await knownService(systems, service, tip);
          }
          return described(new Map([[service, tip]]));
        }
        const services = [...listServices(config, await repository.files(tip)).values()];
        if (since === undefined) return described(new Map(services.map(({ name }) => [name, tip])));
        return changedSince(since, tip, services);
      }),
  };

  async function changedSince(since: string, tip: string, services: Service[]): Promise<ResolvedChange[]> {
    const from = nothing.test(since) ? undefined : since;
    const { paths, rewritten } = await whatIsNew(from, tip);
    const changed = services.filter((service) => paths.some((path) => ownsPath(service, path)));
    const newest = await newestChanges(changed, from, tip);
    // What only left the branch has no commit of its own there: its tip is what undoes it.
    const commits = new Map(changed.map(({ name }) => [name, newest.get(name) ?? tip]));
    const removed = from === undefined ? [] : await removedSince(from, tip, services);
    return described(new Map([...commits, ...removed]), rewritten);
  }

  /** The services that were there and are no more, with the commit that took each away. */
  async function removedSince(from: string, tip: string, services: Service[]): Promise<[string, string][]> {
    const before = listServices(config, await repository.files(from));
    for (const { name } of services) before.delete(name);
    const found: [string, string][] = [];
    for (const { name, manifests } of before.values()) {
      if ((await repository.object(from, `${manifests}/base`)) === undefined) continue;
      for await (const { commit, paths } of searched(from, tip)) {
        if (!paths.some((path) => isIn(path, `${manifests}/base`))) continue;
        if (await removalOf(systems, { service: name, commit })) found.push([name, commit]);
        break;
      }
    }
    return found;
  }

  /**
   * The paths that the branch's tip has otherwise than `from`. Where somebody rewrote the branch in between, also those
   * of the commits that came and went: deliveries of what went end, and what came may be the same in another commit.
   */
  async function whatIsNew(
    from: string | undefined,
    tip: string,
  ): Promise<{ paths: string[]; rewritten: boolean }> {
    if (from === undefined) return { paths: await repository.files(tip), rewritten: false };
    try {
      const differing = await repository.differingPaths(from, tip);
      if (await repository.isAncestor(from, tip)) return { paths: differing, rewritten: false };
      const paths = new Set(differing);
      for (const [before, after] of [
        [from, tip],
        [tip, from],
      ] as const) {
        for await (const commit of searched(before, after)) for (const path of commit.paths) paths.add(path);
      }
      return { paths: [...paths], rewritten: true };
    } catch (error) {
      if (!(error instanceof GitError) || error.kind !== 'missing') throw error;
      throw refused(
        `${from} is not in the repository, or not any more since somebody rewrote ${config.repository.branch}: ` +
          'nobody can say what changed after it. Deliver every service: gitops deliver --all; ' +
          `or those that you know of: gitops deliver --service <name> --commit ${tip}`,
      );
    }
  }

  /** The newest commit of the branch's own line that changed each service. */
  async function newestChanges(
    services: Service[],
    from: string | undefined,
    tip: string,
  ): Promise<Map<string, string>> {
    const newest = new Map<string, string>();
    if (services.length === 0) return newest;
    for await (const { commit, paths } of searched(from, tip)) {
      for (const service of services) {
        if (newest.has(service.name)) continue;
        if (paths.some((path) => ownsPath(service, path))) newest.set(service.name, commit);
      }
      if (newest.size === services.length) break;
    }
    return newest;
  }

  async function* searched(from: string | undefined, to: string) {
    let count = 0;
    for await (const commit of repository.commitsAfter(from, to)) {
      yield commit;
      if (++count === mostSearched) return;
    }
  }

  /** @param commits by service */
  async function described(
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
}
