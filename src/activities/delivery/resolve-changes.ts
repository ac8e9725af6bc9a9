import { manifestsPath, releasePath, serviceOfManifests } from '../../config/paths.ts';
import { isIn, listServices, manifestsOnly, ownsPath, type Service } from '../../config/services.ts';
import { sourceRepositories } from '../../config/sources.ts';
import { parseReleaseKustomization } from '../../model/promotion/release.ts';
import type { ResolvedChange } from '../../model/delivery/change.ts';
import { GitError, type Repository } from '../../systems/git/index.ts';
import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { positionOf, positionOn } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';
import { knownService } from './known-service.ts';
import { removalOf } from './removal-of.ts';

/** Who changed nothing in so many commits of the branch is not looked for any further: its tip holds the same. */
const mostSearched = 10_000;

/** What forges call the tip before a branch began. */
const nothing = /^0+$/;

/** A repository, and the services that have their source in it. */
interface Home {
  repository: Repository;
  branch: string;
  servicesAt(tip: string): Promise<Service[]>;
}

/** Reads only. */
export function createResolveChanges(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf'>,
): Pick<SourceActivities, 'resolveChanges'> {
  const { config, repository: platform, sourceOf } = systems;
  const known = (files: readonly string[]) => [...listServices(config, files).values()];
  const homes: [Home, ...Home[]] = [
    {
      repository: platform,
      branch: config.repository.branch,
      servicesAt: async (tip) => known(await platform.files(tip)).filter(({ source }) => !source),
    },
    ...sourceRepositories(config).map(({ source: { branch }, services: [name = '', ...others] }): Home => ({
      repository: sourceOf(name),
      branch,
      servicesAt: async () => known([]).filter((one) => [name, ...others].includes(one.name)),
    })),
  ];

  return {
    resolveChanges: ({ service, since, until }) =>
      withGit(async () => {
        if (service !== undefined) {
          const source = sourceOf(service);
          const commit = until ?? (await source.tip());
          await positionOf(systems, { service, commit });
          if (!(await removalOf(systems, { service, commit }))) await knownService(systems, service, commit);
          return described(source, new Map([[service, commit]]));
        }
        const from = since === undefined || nothing.test(since) ? undefined : since;
        const commit = until ?? from;
        const wanted = commit === undefined ? homes : [await homeOf(commit)];
        const found: ResolvedChange[] = [];
        for (const home of wanted) {
          const tip = until ?? (await home.repository.tip());
          await positionOn(home.repository, home.branch, tip);
          const services = await home.servicesAt(tip);
          const changes =
            since === undefined
              ? described(home.repository, new Map(services.map(({ name }) => [name, tip])))
              : changedSince(home, from, tip, services);
          found.push(...(await changes));
        }
        return found;
      }),
  };

  /** Where nobody has it, the platform's: that says so. */
  async function homeOf(commit: string): Promise<Home> {
    if (homes.length === 1) return homes[0];
    for (const home of homes) {
      try {
        await home.repository.commit(commit);
        return home;
      } catch (error) {
        if (!(error instanceof GitError) || error.kind !== 'missing') throw error;
      }
    }
    return homes[0];
  }

  async function changedSince(
    home: Home,
    from: string | undefined,
    tip: string,
    services: Service[],
  ): Promise<ResolvedChange[]> {
    const { repository } = home;
    const { paths, rewritten } = await whatIsNew(home, from, tip);
    const changed = services.filter((service) => paths.some((path) => ownsPath(service, path)));
    const newest = await newestChanges(repository, changed, from, tip);
    // What only left the branch has no commit of its own there: its tip is what undoes it.
    const commits = new Map(changed.map(({ name }) => [name, newest.get(name) ?? tip]));
    if (repository !== platform || from === undefined) return described(repository, commits, rewritten);
    const removed = await removedSince(from, tip, paths, services);
    const own = await described(platform, new Map([...commits, ...removed]), rewritten);
    return [...own, ...(await withNewManifests(paths))];
  }

  /** Services that have their source elsewhere, at its newest commit of theirs: that brings the new manifests. */
  async function withNewManifests(paths: string[]): Promise<ResolvedChange[]> {
    const changed = known([]).filter(
      (service) => service.source && paths.some((path) => ownsPath(manifestsOnly(service), path)),
    );
    const found: ResolvedChange[] = [];
    for (const service of changed) {
      const source = sourceOf(service.name);
      const tip = await source.tip();
      const newest = (await newestChanges(source, [service], undefined, tip)).get(service.name) ?? tip;
      const [change] = await described(source, new Map([[service.name, newest]]));
      if (change && !(await isEverywhere(service, newest)))
        found.push({ ...change, again: true, manifests: true });
    }
    return found;
  }

  /** Whether a delivery that began after the manifests changed has brought both into every environment. */
  async function isEverywhere({ manifests }: Service, commit: string): Promise<boolean> {
    const tip = await platform.tip();
    const newest = await platform.lastChange(tip, manifests);
    for (const { name } of config.environments) {
      const path = `${releasePath({ manifests }, name)}/kustomization.yaml`;
      const written = parseReleaseKustomization((await platform.read(tip, path)) ?? '');
      if (written?.change.commit !== commit || written.source?.manifests !== newest) return false;
    }
    return true;
  }

  /**
   * The services whose manifests were there and are no more, with the commit that took each away. Those that the
   * configuration still names are services: that they lack manifests, their deliveries say.
   */
  async function removedSince(
    from: string,
    tip: string,
    changed: string[],
    services: Service[],
  ): Promise<[string, string][]> {
    const names = new Set(changed.flatMap((path) => serviceOfManifests(config, path) ?? []));
    for (const { name } of [...services, ...known([])]) names.delete(name);
    const found: [string, string][] = [];
    for (const name of names) {
      const manifests = manifestsPath(config, name);
      if ((await platform.object(tip, manifests)) !== undefined) continue;
      for await (const { commit, paths } of searched(platform, from, tip)) {
        if (!paths.some((path) => isIn(path, manifests))) continue;
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
    { repository, branch }: Home,
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
        for await (const commit of searched(repository, before, after))
          for (const path of commit.paths) paths.add(path);
      }
      return { paths: [...paths], rewritten: true };
    } catch (error) {
      if (!(error instanceof GitError) || error.kind !== 'missing') throw error;
      throw refused(
        `${from} is not in the repository, or not any more since somebody rewrote ${branch}: ` +
          'nobody can say what changed after it. Deliver every service: gitops deliver --all; ' +
          `or those that you know of: gitops deliver --service <name> --commit ${tip}`,
      );
    }
  }

  /** The newest commit of the branch's own line that changed each service. */
  async function newestChanges(
    repository: Repository,
    services: Service[],
    from: string | undefined,
    tip: string,
  ): Promise<Map<string, string>> {
    const newest = new Map<string, string>();
    if (services.length === 0) return newest;
    for await (const { commit, paths } of searched(repository, from, tip)) {
      for (const service of services) {
        if (newest.has(service.name)) continue;
        if (paths.some((path) => ownsPath(service, path))) newest.set(service.name, commit);
      }
      if (newest.size === services.length) break;
    }
    return newest;
  }

  async function* searched(repository: Repository, from: string | undefined, to: string) {
    let count = 0;
    for await (const commit of repository.commitsAfter(from, to)) {
      yield commit;
      if (++count === mostSearched) return;
    }
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
}
