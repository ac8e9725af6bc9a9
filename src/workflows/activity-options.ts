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
import { taskQueue, type Queue } from '../model/temporal/task-queues.ts';

/** One outage of the forge, the registry or the cluster may last a night; after that a person has to look. */
export const outage = '12 hours';

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
  scheduleToCloseTimeout: `${12 + rebuildingHours} hours`,
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

/** Begins at once as a rule; behind a sync window or another's operation it waits, and hears when that became pointless. */
export const syncing = (platform: string) =>
  proxyActivities<SyncActivities>({
    ...brief,
    taskQueue: taskQueue(platform, 'production'),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/**
 * Other people's code: it may run long, and ends when it is told to, which it hears by its heartbeats. Its own time limit
 * (configuration) is shorter than this one.
 */
export const lengthy = (platform: string) =>
  proxyActivities<BuildActivities>({
    taskQueue: taskQueue(platform, 'build'),
    startToCloseTimeout: '3 hours',
    scheduleToCloseTimeout: outage,
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
