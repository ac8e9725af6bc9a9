import { ApplicationFailure } from '@temporalio/common';

/** A rule or bad input stands against it: trying again changes nothing, and nothing was changed. */
export const refused = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'Refused');

/** The work itself came out badly (`TestsFailed`, `BuildFailed`, …): the same input would again. */
export const failed = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);
