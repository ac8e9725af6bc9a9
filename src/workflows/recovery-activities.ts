import { proxyActivities } from '@temporalio/workflow';
import type { RecoveryActivities } from '../activities/contract.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
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
