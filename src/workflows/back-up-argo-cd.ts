import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { backupInputSchema, type BackupInput, type RecoveryPoint } from '../model/recovery/backup.ts';
import { backupId } from '../model/temporal/workflow-ids.ts';
import { checkedInput, checkOwnId } from './input-checks.ts';
import { backingUp, now } from './activity-options.ts';

/**
 * Stores all that Argo CD cannot find in Git, then has it read back by others who can: who writes backups cannot open
 * them. One that was not found good fails the workflow, and is kept apart by that.
 */
export async function backUpArgoCd(input: BackupInput): Promise<RecoveryPoint> {
  const asked = checkedInput(backupInputSchema, input);
  const { platform, cluster } = asked;
  checkOwnId(backupId(platform, cluster));

  setCurrentDetails(`Storing what Argo CD of ${cluster} knows.`);
  const { key } = await backingUp(asked, 'production').storeBackup({ cluster, at: now() });
  setCurrentDetails(`Reading ${key} back.`);
  const point = await backingUp(asked, 'recovery').verifyBackup({ cluster, key });
  setCurrentDetails(`${key} is ${point.state}. ${point.reason ?? ''}`);

  if (point.state === 'good') return point;
  const message = `${key} is not counted as good. ${point.reason ?? ''}`;
  throw ApplicationFailure.create({ message, type: 'NotGood', nonRetryable: true, details: [point] });
}
