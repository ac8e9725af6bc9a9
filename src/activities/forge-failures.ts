import { ApplicationFailure } from '@temporalio/common';
import { ForgeError, type ForgeErrorKind } from '../systems/forge/forge.ts';
import { refused } from './failures.ts';

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
