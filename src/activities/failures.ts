import { ApplicationFailure } from '@temporalio/common';
import { WrongManifest } from '../systems/argocd/index.ts';
import { WrongKey, BackupStoreError } from '../systems/backups/index.ts';
import { ForgeError, type ForgeErrorKind } from '../systems/forge/index.ts';
import { GitError } from '../systems/git/index.ts';
import { KubernetesError } from '../systems/kubernetes/index.ts';
import type { FailureLogs } from '../model/delivery/delivery.ts';

/** A rule or bad input stands against it: trying again changes nothing, and nothing was changed. */
export const refused = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'Refused');

/** Why an attempt that its delivery or its promotion has outlived is refused. */
export const outlived = 'The delivery that asked for it is not open any more.';

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

/** Does some work with Git; what no other attempt mends is refused, the rest is thrown as it is. */
export async function withGit<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lasting = error instanceof GitError && (error.kind === 'forbidden' || error.kind === 'missing');
    throw lasting ? refused(error.message) : error;
  }
}

/** A token may be renewed and an outage ends while an attempt waits for the next; of the rest a person has to know. */
const mayPass = new Set<ForgeErrorKind>(['auth', 'unavailable', 'rate-limited', 'pending', 'base-moved']);

/** Does some work with a forge, and tells Temporal which of its errors another attempt may mend, and when. */
export async function withForge<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    if (!mayPass.has(error.kind)) throw refused(error.message);
    throw ApplicationFailure.create({
      message: error.message,
      type: error.kind,
      cause: error,
      ...(error.retryAfterMs !== undefined && { nextRetryDelay: error.retryAfterMs }),
    });
  }
}

/** Does some work on backups, or on a cluster that is recreated; what no other attempt mends is refused at once. */
export async function withRecovery<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isLasting(error) ? refused(error.message) : error;
  }
}

function isLasting(error: unknown): error is Error {
  if (error instanceof BackupStoreError) return error.lasting;
  if (error instanceof KubernetesError) return [401, 403].includes(error.status);
  return error instanceof WrongKey || error instanceof WrongManifest;
}
