import { sleep } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { NotConfigured } from '../config/not-configured.ts';
import { ForgeError } from '../systems/forge/index.ts';
import { GitError } from '../systems/git/index.ts';
import { RegistryError } from '../systems/images/index.ts';
import { KubernetesError } from '../systems/kubernetes/index.ts';
import { ObjectStoreError } from '../systems/objects/index.ts';
import { SystemError } from '../systems/system-error.ts';
import type { FailureLogs } from '../model/delivery/delivery.ts';

/** A rule or bad input stands against it: trying again changes nothing, and nothing was changed. */
export const refused = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'Refused');

/** Expected, and over after a while. Without a delay it is looked at again as after a failure: soon, then twice a minute. */
export const later = (
  type: string,
  message: string,
  nextRetryDelay?: '30 seconds' | '5 minutes',
): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    message,
    ...(nextRetryDelay && { nextRetryDelay }),
    category: ApplicationFailureCategory.BENIGN,
  });

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

/**
 * Does some work with another system, and tells Temporal what its answer means: refused for good, or to be asked again, and
 * when.
 */
const heeding =
  (Answer: typeof GitError | typeof ForgeError | typeof RegistryError) =>
  async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotConfigured) throw refused(error.message);
      if (!(error instanceof Answer)) throw error;
      if (error.lasting) throw refused(error.message);
      throw ApplicationFailure.create({
        message: error.message,
        type: error.kind,
        cause: error,
        ...(error.retryAfterMs !== undefined && { nextRetryDelay: error.retryAfterMs }),
      });
    }
  };

export const withGit = heeding(GitError);
export const withForge = heeding(ForgeError);
export const withRegistry = heeding(RegistryError);

/** Longer than tokens take to be renewed, and rights to reach every server. */
const settlesMs = 45_000;
const pauseMs = 5000;

/** As `heeding`, where a refusal may pass: it counts once it has lasted, and until then the work is done again. */
const insisting =
  (Answer: typeof KubernetesError | typeof ObjectStoreError) =>
  async <T>(work: () => Promise<T>): Promise<T> => {
    for (const begun = Date.now(); ; await sleep(pauseMs)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof NotConfigured) throw refused(error.message);
        if (!(error instanceof Answer && error.lasting)) throw error;
        if (Date.now() - begun >= settlesMs) throw refused(error.message);
      }
    }
  };

export const withCluster = insisting(KubernetesError);
export const withObjects = insisting(ObjectStoreError);

/** Does some work on backups, or on a cluster that is recreated; what no other attempt mends is refused at once. */
export async function withRecovery<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NotConfigured) throw refused(error.message);
    throw error instanceof SystemError && error.lasting ? refused(error.message) : error;
  }
}
