import { ApplicationFailure } from '@temporalio/common';
import type { FailureLogs } from '../model/delivery.ts';

/** A rule or bad input stands against it: trying again changes nothing, and nothing was changed. */
export const refused = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'Refused');

/**
 * The work itself came out badly (`TestsFailed`, `BuildFailed`, …): the same input would again.
 *
 * @param logs keys of the logs that say why
 */
export const failed = (type: string, message: string, ...logs: string[]): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    message,
    type,
    ...(logs.length > 0 ? [{ logs } satisfies FailureLogs] : []),
  );
