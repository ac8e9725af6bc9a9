import { CancellationScope, isCancellation } from '@temporalio/workflow';

/**
 * Whether a workflow ends because it was cancelled. An activity whose worker died while it was told to stop ends with
 * whatever that looks like, since nobody tries it again.
 */
export const isCancelled = (error: unknown): boolean =>
  isCancellation(error) || CancellationScope.current().consideredCancelled;
