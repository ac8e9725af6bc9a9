import { proxyActivities } from '@temporalio/workflow';
import type { z } from 'zod';
import type { RecoveryActivities } from '../activities/contract.ts';
import {
  compareInputSchema,
  verifyInputSchema,
  type BackupDifference,
  type RecoveryPoint,
} from '../model/recovery/backup.ts';
import { taskQueue } from '../model/task-queues.ts';
import { checkedInput } from './input-checks.ts';
import { silence } from './activity-options.ts';

/** Where backups are opened: nowhere else is the key. */
export const recovery = (platform: string) =>
  proxyActivities<RecoveryActivities>({
    taskQueue: taskQueue(platform, 'recovery'),
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: '4 hours',
    heartbeatTimeout: silence,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });

/** Looks whether a backup, the newest unless one is named, could be restored. */
export async function verifyBackup(input: z.infer<typeof verifyInputSchema>): Promise<RecoveryPoint> {
  const { platform, cluster, key, accept } = checkedInput(verifyInputSchema, input);
  return recovery(platform).verifyBackup({
    cluster,
    ...(key !== undefined && { key }),
    ...(accept !== undefined && { accept }),
  });
}

/** Which objects two backups do not share. */
export async function compareBackups(input: z.infer<typeof compareInputSchema>): Promise<BackupDifference> {
  const { platform, cluster, from, to } = checkedInput(compareInputSchema, input);
  return recovery(platform).compareBackups({ cluster, from, to });
}
