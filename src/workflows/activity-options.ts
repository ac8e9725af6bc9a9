import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type {
  AskActivities,
  BuildActivities,
  PullRequestActivities,
  RecordActivities,
  ReleaseActivities,
  RenderActivities,
  SettingsActivities,
  SourceActivities,
  SyncActivities,
  WaitActivities,
} from '../activities/contract.ts';
import { outageHours } from '../model/outage.ts';
import { taskQueue, type Queue } from '../model/task-queues.ts';

export const outage = `${outageHours} hours` as const;

/**
 * What is done in a cluster that is rebuilt is put off until that is over, however often it is tried. A recreation has a
 * day, and may have to be started again.
 */
const rebuildingHours = 48;

/** Backs off to half a minute, so that work goes on soon after an outage ends. */
export const retry = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '30 seconds',
} as const;

/** Every attempt beats: one whose worker says nothing for this long has died with it, and the next one begins. */
export const silence = '10 seconds';

const brief = {
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: `${outageHours + rebuildingHours} hours`,
  heartbeatTimeout: silence,
  retry,
} as const;

/**
 * Short exchanges with the forge, Git, the object store: seconds at most, minutes when a large clone is new.
 *
 * @param summary what the Temporal UI says of them, where their names are not enough
 */
export const quick = (
  platform: string,
  queue: Extract<Queue, 'delivery' | 'production'> = 'delivery',
  summary?: string,
) =>
  proxyActivities<
    SourceActivities &
      AskActivities &
      RecordActivities &
      ReleaseActivities &
      PullRequestActivities &
      SettingsActivities &
      RenderActivities
  >({
    ...brief,
    taskQueue: taskQueue(platform, queue),
    ...(summary !== undefined && { summary }),
  });

/** Begins at once as a rule; behind a sync window or another's operation it is tried again, until that became pointless. */
export const syncing = (platform: string) =>
  proxyActivities<SyncActivities>({
    ...brief,
    taskQueue: taskQueue(platform, 'production'),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/**
 * Other people's code: it may run long, and ends when it is told to, which it hears by its heartbeats. Its own time limit
 * (configuration) is shorter than this one.
 *
 * To wait for a slot is no fault, so it uses up no time for trying: how long that goes on the worker knows
 * (`worker/give-up.ts`), and Temporal bounds only the queueing. Five hundred changes at once keep two slots busy for ten
 * days with half an hour for tests and builds each; where nobody works at all, that ends too.
 */
export const lengthy = (platform: string) =>
  proxyActivities<BuildActivities>({
    taskQueue: taskQueue(platform, 'build'),
    startToCloseTimeout: '3 hours',
    scheduleToStartTimeout: '30 days',
    heartbeatTimeout: silence,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });

/**
 * Waits on Argo CD. Each shutdown of a worker costs an attempt, so attempts are not counted and come back within
 * seconds; the wait ends at the promotion's own deadline, which the activity knows: later by its whole time when the
 * cluster was rebuilt meanwhile. Here it ends a little after that could be.
 */
export const patient = (platform: string, withinMs: number) =>
  proxyActivities<WaitActivities>({
    taskQueue: taskQueue(platform, 'wait'),
    scheduleToCloseTimeout: 2 * withinMs + rebuildingHours * 3_600_000 + 10 * 60_000,
    heartbeatTimeout: silence,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...retry, maximumInterval: '5 seconds' },
  });

export const now = (): string => new Date().toISOString();

/** New for each run of a workflow, kept when it is reset. */
export const ownId = (): string => workflowInfo().originalExecutionRunId;
