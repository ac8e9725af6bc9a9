import { manifestsPath } from '../../config/paths.ts';
import { listServices } from '../../config/services.ts';
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
  /** Globs of what belonged to it. */
  paths: string[];
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
  const before = listServices(config, await repository.files(parent)).get(service);
  return { parent, base, manifests, paths: before?.paths ?? [`${manifests}/**`] };
}

async function parentOf(repository: Looked['repository'], commit: string): Promise<string | undefined> {
  for await (const one of repository.commitsAfter(undefined, commit)) {
    if (one.commit !== commit) return one.commit;
  }
  return undefined;
}
