import { ApplicationFailure, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { BackupActivities } from '../activities/contract.ts';
import { backupInputSchema, type BackupInput, type RecoveryPoint } from '../model/recovery/backup.ts';
import { backupId } from '../model/temporal/workflow-ids.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { checkedInput, checkOwnId } from './input-checks.ts';
import { now, silence } from './activity-options.ts';
import { recovery } from './recovery-activities.ts';

/**
 * Stores all that Argo CD cannot find in Git, then has it read back by others who can: who writes backups cannot open
 * them. One that was not found good fails the workflow, and is kept apart by that.
 */
export async function backUpArgoCd(input: BackupInput): Promise<RecoveryPoint> {
  const { platform, cluster } = checkedInput(backupInputSchema, input);
  checkOwnId(backupId(platform, cluster));

  setCurrentDetails(`Storing what Argo CD of ${cluster} knows.`);
  const { key } = await storing(platform).storeBackup({ cluster, at: now() });
  setCurrentDetails(`Reading ${key} back.`);
  const point = await recovery(platform).verifyBackup({ cluster, key });
  setCurrentDetails(`${key} is ${point.state}. ${point.reason ?? ''}`);

  if (point.state === 'good') return point;
  const message = `${key} is not counted as good. ${point.reason ?? ''}`;
  throw ApplicationFailure.create({ message, type: 'NotGood', nonRetryable: true, details: [point] });
}

/** An outage may last a part of the night; after that the next night's backup is nearer than this one's end. */
const storing = (platform: string) =>
  proxyActivities<BackupActivities>({
    taskQueue: taskQueue(platform, 'production'),
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: '4 hours',
    heartbeatTimeout: silence,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
