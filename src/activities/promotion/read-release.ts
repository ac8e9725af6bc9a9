import { releasePath } from '../../config/paths.ts';
import type { Service } from '../../config/services.ts';
import { parseReleaseKustomization, releaseKustomization } from '../../model/promotion/release.ts';
import { GitError, type Repository } from '../../systems/git/index.ts';
import { releaseTree } from '../../systems/git/release-tree.ts';
import type { Place, SeenRelease } from '../contract.ts';
import { knownService } from '../delivery/known-service.ts';
import type { Systems } from '../systems.ts';

/** What `release/` holds on the protected branch's tip, and whether this program wrote it. */
export async function readRelease(
  systems: Pick<Systems, 'config' | 'repository'>,
  { environment, service: name }: Place,
): Promise<SeenRelease> {
  const { repository } = systems;
  const tip = await repository.tip();
  const service = await knownService(systems, name, tip);
  const path = releasePath(service, environment);
  const tree = await repository.object(tip, path);
  if (tree === undefined) return { tip };
  const written = parseReleaseKustomization((await repository.read(tip, `${path}/kustomization.yaml`)) ?? '');
  if (written?.change.service !== name) return { tip, tree };
  const base = await baseAt(repository, written.change.commit, service);
  const ours = base !== undefined && releaseTree(base, releaseKustomization(written)) === tree;
  return ours ? { tip, tree, change: written.change } : { tip, tree };
}

/** Undefined also for a commit that nobody has: a release that was written by hand may name any. */
async function baseAt(
  repository: Repository,
  commit: string,
  { manifests }: Service,
): Promise<string | undefined> {
  try {
    return await repository.object(commit, `${manifests}/base`);
  } catch (error) {
    if (error instanceof GitError && error.kind === 'missing') return undefined;
    throw error;
  }
}
