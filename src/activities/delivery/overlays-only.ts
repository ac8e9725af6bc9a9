import { changesOverlay, ownsPath, type Service } from '../../config/services.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Change } from '../../model/delivery/change.ts';
import type { Deployed } from '../../model/promotion/promotion.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { unlessMissing } from '../../systems/git/index.ts';
import { getJson } from '../../systems/objects/index.ts';
import { withObjects } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { readRelease } from '../promotion/read-release.ts';
import { memorySchema } from './records.ts';

/**
 * The environments that a change concerns which is one of overlays alone, with the release that stays in each: there is
 * nothing to test or build, and what is released elsewhere is the same before and after it.
 *
 * @returns undefined for a change of more, or one whose releases differ from it in more: it goes the whole way
 * @throws GitError
 */
export async function overlaysOnly(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'objects'>,
  service: Service,
  { commit }: Pick<Change, 'commit'>,
): Promise<ReadonlyMap<string, Change> | undefined> {
  const { config, repository, objects } = systems;
  // Its changes are commits of another repository than its overlays.
  if (service.source) return undefined;
  const names = config.environments.map(({ name }) => name);
  const overlayOf = (path: string) => names.find((name) => changesOverlay(service, name, path));
  const owned = (await repository.changedPaths(commit)).filter((path) => ownsPath(service, path));
  const changed = new Set(owned.map(overlayOf));
  if (changed.size === 0 || changed.has(undefined)) return undefined;

  // What differs from a release that is gone since somebody rewrote the branch cannot be told.
  return unlessMissing(concerned(), undefined);

  async function concerned(): Promise<ReadonlyMap<string, Change> | undefined> {
    const onto = new Map<string, Change>();
    const tip = await repository.tip();
    for (const name of names) {
      const current = await released(name);
      // Somebody took that off the branch: a change that is on it takes its place everywhere.
      if (current && (await repository.position(current.change.commit, tip)) === undefined) return undefined;
      if (!changed.has(name) && !(current && (await isBehind(name, current)))) continue;
      if (!current || !(await isReleased(name, current)) || !(await differsByOverlays(current)))
        return undefined;
      const { approval, sync } = promotionSettings(config, name);
      // A review is one of a pull request, and there would be none.
      if (approval.by === 'review' && sync === 'manual') return undefined;
      onto.set(name, current.change);
    }
    return onto;
  }

  async function released(environment: string): Promise<Deployed | undefined> {
    const key = objectKeys.environment(environment, service.name);
    return (await withObjects(() => getJson(objects, key, memorySchema)))?.value.current;
  }

  /** Memory is stored when a promotion ends: another may have merged its release by now. */
  async function isReleased(environment: string, { change }: Deployed): Promise<boolean> {
    const there = await readRelease(systems, { environment, service: service.name });
    return there.change?.commit === change.commit;
  }

  /** Whether an earlier change of its overlay has not been brought there: no delivery may ever have been of that one. */
  async function isBehind(environment: string, { revision }: Deployed): Promise<boolean> {
    const paths = await repository.differingPaths(revision, commit);
    if (!paths.some((path) => changesOverlay(service, environment, path))) return false;
    return !(await repository.isAncestor(commit, revision));
  }

  async function differsByOverlays({ change }: Deployed): Promise<boolean> {
    const paths = await repository.differingPaths(change.commit, commit);
    return paths.filter((path) => ownsPath(service, path)).every((path) => overlayOf(path) !== undefined);
  }
}
