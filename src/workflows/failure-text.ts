import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { FailureLogs } from '../model/delivery/delivery.ts';

/** Keys of the logs that say why, as the failure of a test or a build names them. */
export function failureLogs(error: unknown): string[] {
  if (error instanceof ActivityFailure) return failureLogs(error.cause);
  const [told] = (error instanceof ApplicationFailure && error.details) || [];
  return isFailureLogs(told) ? told.logs : [];
}

const isFailureLogs = (told: unknown): told is FailureLogs =>
  typeof told === 'object' && told !== null && 'logs' in told && Array.isArray(told.logs);

/** What a person should read of a failure: the innermost message, not the wrapping. */
export function failureText(error: unknown): string {
  if (error instanceof ActivityFailure && error.cause) {
    if (error.cause instanceof TimeoutFailure) {
      if (error.cause.timeoutType === 'SCHEDULE_TO_START') {
        return `No worker had a slot for ${error.activityType} in time. See worker.slots in gitops.yaml, and gitops doctor.`;
      }
      return `${error.activityType} did not end in time${error.cause.cause ? `: ${failureText(error.cause.cause)}` : '.'}`;
    }
    return failureText(error.cause);
  }
  if (isCancellation(error)) return error instanceof CancelledFailure ? error.message : 'Cancelled.';
  if (error instanceof ApplicationFailure) return error.message || (error.type ?? 'failed');
  return error instanceof Error ? error.message : String(error);
}

/** Whether an activity refused: a rule or bad input stands against it, so it was not tried again. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === 'Refused';
