import {
  ActivityCancellationType,
  proxyActivities,
  workflowInfo,
  type ActivityInterfaceFor,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Served } from '../activities/contract.ts';
import { outageHours } from '../model/temporal/outage.ts';
import { usualSilence, type Silence } from '../model/temporal/silence.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';

/** Whose activities, and after how much silence an attempt of theirs counts as dead: every workflow's input has it. */
export interface Attempts {
  platform: string;
  silence?: Silence;
}

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

/** What its workers serve, and nothing else. */
export const activitiesOn = <Q extends keyof Served>(
  queue: Q,
  { platform }: Attempts,
  options: Omit<ActivityOptions, 'taskQueue'>,
): ActivityInterfaceFor<Served[Q]> =>
  proxyActivities<Served[Q]>({ ...options, taskQueue: taskQueue(platform, queue) });

export const exchangeSilence = ({ silence = usualSilence }: Attempts): number => silence.exchangeMs;
export const workSilence = ({ silence = usualSilence }: Attempts): number => silence.workMs;

const brief = (attempts: Attempts) =>
  ({
    startToCloseTimeout: '5 minutes',
    scheduleToCloseTimeout: `${outageHours + rebuildingHours} hours`,
    heartbeatTimeout: exchangeSilence(attempts),
    retry,
  }) as const;

/**
 * Short exchanges with the forge, Git, the object store: seconds at most, minutes when a large clone is new.
 *
 * @param summary what the Temporal UI says of them, where their names are not enough
 */
export const quick = <Q extends 'delivery' | 'production'>(attempts: Attempts, queue: Q, summary?: string) =>
  activitiesOn(queue, attempts, { ...brief(attempts), ...(summary !== undefined && { summary }) });

const untilPointless = (attempts: Attempts) =>
  ({
    ...brief(attempts),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  }) as const;

/** Begins at once as a rule; behind a sync window or another's operation it is tried again, until that became pointless. */
export const syncing = (attempts: Attempts) => activitiesOn('production', attempts, untilPointless(attempts));

/** Tried again until what is being deleted is gone, or until that became pointless. */
export const removing = <Q extends 'delivery' | 'production'>(attempts: Attempts, queue: Q) =>
  activitiesOn(queue, attempts, untilPointless(attempts));

/**
 * Other people's code: it may run long, and ends when it is told to, which it hears by its heartbeats. Its own time limit
 * (configuration) is shorter than this one.
 *
 * To wait for a slot is no fault, so it uses up no time for trying: how long that goes on the worker knows
 * (`worker/give-up.ts`), and Temporal bounds only the queueing. Five hundred changes at once keep two slots busy for ten
 * days with half an hour for tests and builds each; where nobody works at all, that ends too.
 */
export const lengthy = (attempts: Attempts) =>
  activitiesOn('build', attempts, {
    startToCloseTimeout: '3 hours',
    scheduleToStartTimeout: '30 days',
    heartbeatTimeout: workSilence(attempts),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });

/**
 * Waits on Argo CD, which change nothing but their own operation. A cancelled one is not waited for: it hears of that only
 * by its next heartbeat. Each shutdown of a worker costs an attempt, so attempts are not counted, and the next comes within
 * seconds. The activity itself ends at the promotion's deadline, or, when the cluster was rebuilt meanwhile, after its
 * whole time from then on; the timeout here is a little longer than both together.
 */
export const patient = (attempts: Attempts, withinMs: number, since02: boolean) =>
  activitiesOn('wait', attempts, {
    scheduleToCloseTimeout: 2 * withinMs + rebuildingHours * 3_600_000 + 10 * 60_000,
    heartbeatTimeout: workSilence(attempts),
    cancellationType: since02
      ? ActivityCancellationType.TRY_CANCEL
      : ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...retry, maximumInterval: '5 seconds' },
  });

/** Where Argo CD is read and its backups are opened: an outage may last a part of the night. */
export const backingUp = <Q extends 'production' | 'recovery'>(attempts: Attempts, queue: Q) =>
  activitiesOn(queue, attempts, {
    startToCloseTimeout: '1 hour',
    // After that the next night's backup is nearer than this one's end.
    scheduleToCloseTimeout: '4 hours',
    heartbeatTimeout: workSilence(attempts),
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });

export const now = (): string => new Date().toISOString();

/** New for each run of a workflow, kept when it is reset. */
export const ownId = (): string => workflowInfo().originalExecutionRunId;
