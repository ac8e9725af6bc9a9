import { manifestsPath, overlayPath } from '../../config/paths.ts';
import type { Config } from '../../config/schema.ts';
import { isIn, listServices, releasesOf } from '../../config/services.ts';
import { sourceConfigOf } from '../../config/sources.ts';
import type { Change } from '../../model/delivery/change.ts';
import { refused } from '../failures.ts';
import type { Systems } from '../systems.ts';

type Looked = Pick<Systems, 'config' | 'repository'>;

/** A service as it was before a commit took it out of the repository. */
export interface Removal {
  /** The commit before on the branch's own line. */
  parent: string;
  /** Git tree of the manifests that it had. */
  base: string;
  manifests: string;
  /** Globs of what belonged to it, and of what promotions wrote. */
  paths: string[];
  releases: string[];
}

/**
 * What a change removes, if it is one that does: its commit took the whole folder of the service's manifests away.
 *
 * @throws GitError
 * @throws Refused: the configuration names the service all the same
 */
export async function removalOf(
  { config, repository }: Looked,
  { service, commit }: Change,
): Promise<Removal | undefined> {
  // Its commits are of another repository than its manifests: it goes once the configuration names it no more.
  if (sourceConfigOf(config, service)) return undefined;
  const manifests = manifestsPath(config, service);
  if ((await repository.object(commit, manifests)) !== undefined) return undefined;
  const parent = await parentOf(repository, commit);
  const base = parent && (await repository.object(parent, manifests));
  if (base === undefined || parent === undefined) return undefined;
  if (listServices(config, await repository.files(commit)).has(service)) {
    throw refused(
      `${service} has no manifests at ${commit} any more (${manifests}), but is a service there still. ` +
        'To remove it, take its source away and its entry in services.explicit of gitops.yaml; else bring its manifests back.',
    );
  }
  const before = wasService(config, service, await repository.files(parent));
  return before && { parent, base, ...before };
}

/**
 * What a service was, by the files that were there: nothing else than one has an overlay for some environment.
 *
 * @returns undefined for a folder that no service ever had
 */
export function wasService(
  config: Config,
  name: string,
  files: readonly string[],
): Pick<Removal, 'manifests' | 'paths' | 'releases'> | undefined {
  const manifests = manifestsPath(config, name);
  const { paths, releases } = listServices(config, files).get(name) ?? {
    paths: [`${manifests}/**`],
    releases: releasesOf(config),
  };
  const overlays = config.environments.map((environment) => overlayPath({ manifests }, environment.name));
  return files.some((file) => overlays.some((overlay) => isIn(file, overlay)))
    ? { manifests, paths, releases }
    : undefined;
}

async function parentOf(repository: Looked['repository'], commit: string): Promise<string | undefined> {
  for await (const one of repository.commitsAfter(undefined, commit)) {
    if (one.commit !== commit) return one.commit;
  }
  return undefined;
}

/** @throws Refused: a service of an older commit is none any more, and its delivery would not get into any environment */
export async function refuseRemoved(
  { config, repository }: Looked,
  { service, commit }: Change,
): Promise<void> {
  if (sourceConfigOf(config, service)) return;
  const manifests = manifestsPath(config, service);
  const tip = await repository.tip();
  if ((await repository.object(commit, manifests)) === undefined) return;
  if ((await repository.object(tip, manifests)) !== undefined) return;
  throw refused(
    `${service} has been removed since ${commit}: ${manifests} is not at ${tip}, the tip of the branch. To have it back, bring that folder back, and deliver the commit that does.`,
  );
}
