import { releasePath } from '../../config/paths.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { releaseTree } from '../../systems/git/release-tree.ts';
import type { Place, SeenRelease } from '../contract.ts';
import { knownService } from '../delivery/known-service.ts';
import { baseOf } from './release-base.ts';
import type { Systems } from '../systems.ts';
import { writtenRelease } from './written-release.ts';

/** What `release/` holds on the protected branch's tip, and whether this program wrote it. */
export async function readRelease(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf'>,
  { environment, service: name }: Place,
): Promise<SeenRelease> {
  const { repository } = systems;
  const tip = await repository.tip();
  const service = await knownService(systems, name, tip);
  const path = releasePath(service, environment);
  const tree = await repository.object(tip, path);
  if (tree === undefined) return { tip };
  const written = await writtenRelease(repository, tip, path);
  if (written?.change.service !== name) return { tip, tree };
  const base = await baseOf(systems, service, written);
  const ours = base !== undefined && releaseTree(base, releaseKustomization(written)) === tree;
  return ours ? { tip, tree, change: written.change } : { tip, tree };
}
