import { heartbeat } from '@temporalio/activity';
import type { Work } from '../../model/recovery/recreation.ts';
import type { RecreationActivities } from '../contract.ts';
import { withRecovery } from '../failures.ts';
import { backedUpApplications, type BackedUp } from './backed-up-applications.ts';
import { withRebuiltCluster } from './rebuilt-cluster.ts';
import { syncUntilHealthy } from './sync-application.ts';
import type { RecreationSystems } from './systems.ts';

/** Safe to repeat and side by side: each operation is found again by its ID, and one that succeeded is not started twice. */
export const createSyncWave = (systems: RecreationSystems): Pick<RecreationActivities, 'syncWave'> => ({
  syncWave: ({ key, wave, ...target }) =>
    withRecovery(async () => {
      const all = await backedUpApplications(systems, key);
      const chosen = all
        .filter(({ root, ...one }) => (wave === 'roots' ? root : !root && one.wave === wave))
        .filter(ranOnce);
      return withRebuiltCluster(systems, target, async (rebuilt) => {
        let [done, healthy] = [0, 0];
        const tell = () => heartbeat({ done, of: chosen.length, what: 'Applications' } satisfies Work);
        tell();
        for (const group of inOrder(chosen)) {
          await Promise.all(
            group.map(async (one) => {
              if (await syncUntilHealthy(rebuilt, one, `wave ${wave}`)) healthy += 1;
              done += 1;
              tell();
            }),
          );
        }
        return { applications: chosen.length, healthy };
      });
    }),
});

/** There is no revision for the others that anybody let in. */
export const ranOnce = ({ expected }: BackedUp): boolean => expected.length > 0;

/** Roots are of several waves, and keep their order too. */
const inOrder = (applications: BackedUp[]): BackedUp[][] =>
  [...Map.groupBy(applications, ({ wave }) => wave)].toSorted(([a], [b]) => a - b).map(([, group]) => group);
