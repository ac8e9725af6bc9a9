import { CancellationScope, isCancellation } from '@temporalio/workflow';

/**
 * Whether a workflow ends because it was cancelled. When the worker of a cancelled activity dies, the activity fails with a
 * timeout and is not tried again: that, too, comes of the cancellation.
 */
export const isCancelled = (error: unknown): boolean =>
  isCancellation(error) || CancellationScope.current().consideredCancelled;
