import { backupOf } from '../../config/backup-settings.ts';
import type { Config } from '../../config/schema.ts';
import { backupKeys, recoveryPoint, writeVerification } from '../../systems/backups/catalogue.ts';
import { refused, withRecovery } from '../failures.ts';
import { judgeBackup } from './judge.ts';
import { existingIndex, type Recovery } from './open.ts';
import type { RecoveryActivities } from '../contract.ts';

/** @param scratch folder for encrypted files on their way */
export function createVerifyBackup(
  systems: { config: Config; recovery: Recovery },
  scratch: string,
): Pick<RecoveryActivities, 'verifyBackup'> {
  const { config } = systems;

  return {
    /** Safe to repeat, side by side and late: the youngest verification is the one that is shown. */
    async verifyBackup({ cluster, key: given, accept = false }) {
      return withRecovery(async () => {
        backupOf(config, cluster);
        const { store } = systems.recovery;
        const key = given ?? (await backupKeys(store, cluster))[0];
        if (key === undefined) throw refused(`There is no backup of ${cluster} yet. Make one: gitops backup`);
        const index = await existingIndex(store, key);
        await writeVerification(store, await judgeBackup(systems, scratch, index, { cluster, key, accept }));
        const point = await recoveryPoint(store, key);
        if (!point) throw new Error(`${key} was there a moment ago, and is not any more.`);
        return point;
      });
    },
  };
}
