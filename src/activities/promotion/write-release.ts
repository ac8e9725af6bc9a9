import { promotionSettings } from '../../config/promotion-settings.ts';
import { releasePath } from '../../config/paths.ts';
import { releaseKustomization, releaseMessage } from '../../model/promotion/release.ts';
import { wantedBy } from '../../systems/temporal/runs.ts';
import { outlived, withGit } from '../failures.ts';
import { knownService } from '../delivery/known-service.ts';
import { bringBase } from './release-base.ts';
import { readRelease } from './read-release.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseOlder } from './refuse-older.ts';
import type { Systems } from '../systems.ts';
import type { ReleaseActivities } from '../contract.ts';

export function createReleaseActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'temporal'>,
): ReleaseActivities {
  const { config, repository, temporal } = systems;

  return {
    /** Reads only. */
    readRelease: (place) => withGit(() => readRelease(systems, place)),

    /** Safe to repeat, side by side and late: compare-and-set on the tree that the promotion saw. */
    writeRelease: ({ environment, release, seen, asker }) =>
      withGit(async () => {
        const { change, source } = release;
        const older = await refuseOlder(systems, { environment, seen, position: source.position });
        if (older !== undefined) return { state: 'refused', reason: older };
        if (promotionSettings(config, environment).entersBy !== 'push') {
          return {
            state: 'refused',
            reason: `By now the configuration has releases enter ${environment} by pull request. Deliver the change again.`,
          };
        }
        const service = await knownService(systems, change.service, seen.tip);
        await bringBase(systems, release);
        const path = releasePath(service, environment);
        const wanted = wantedBy(temporal, asker);
        let gone: string | undefined;
        const written = await repository.writeRelease({
          branch: config.repository.branch,
          path,
          base: source.base,
          kustomization: releaseKustomization(release),
          expectedTree: seen.tree,
          message: releaseMessage(environment, release),
          // What was seen may be hours old by the time that the forge takes the push.
          stillWanted: async (tip) => {
            gone = await refuseGone(systems, release, tip);
            return gone === undefined && wanted();
          },
        });
        if (written.state === 'written') return written;
        if (written.state === 'unwanted') {
          return { state: 'refused', reason: gone ?? outlived };
        }
        return {
          state: 'refused',
          reason: `Somebody else wrote ${path} meanwhile. Look at who did, then deliver the change again.`,
        };
      }),
  };
}
