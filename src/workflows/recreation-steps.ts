import { ActivityCancellationType } from '@temporalio/workflow';
import type { RecreationActivities } from '../activities/contract.ts';
import { activitiesOn, outage, retry, workSilence, type Attempts } from './activity-options.ts';

/** A cluster that is not back after this long needs people who look why. */
const wholeMs = 24 * 3_600_000;

const shared = (attempts: Attempts) =>
  ({
    heartbeatTimeout: workSilence(attempts),
    // What takes a drill's things away must not run beside what still makes some.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  }) as const;

/** Reads, and changes nothing: whoever started it had better hear soon that something is away, than wait for it. */
export const checking = (attempts: Attempts) =>
  activitiesOn('recovery', attempts, {
    ...shared(attempts),
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: '2 hours',
  });

export type Step = (summary?: string) => RecreationActivities;

/**
 * Each finds what it has done, so an attempt that hangs may be given up after an hour. A single one may use up all the
 * time that is left, since an outage may come at any of them.
 *
 * @returns what makes a step, with what the Temporal UI says of it beside its name
 */
export function stepsFromNow(attempts: Attempts): Step {
  const deadline = Date.now() + wholeMs;
  return (summary) =>
    activitiesOn('recovery', attempts, {
      ...shared(attempts),
      startToCloseTimeout: '1 hour',
      scheduleToCloseTimeout: Math.max(1000, deadline - Date.now()),
      ...(summary !== undefined && { summary }),
    });
}

/** Also when that time is over: what was rebuilt until then is worth knowing, and what a drill made has to go. */
export const closing = (attempts: Attempts) =>
  activitiesOn('recovery', attempts, {
    ...shared(attempts),
    startToCloseTimeout: '1 hour',
    scheduleToCloseTimeout: outage,
  });
