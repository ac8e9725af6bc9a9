import { setTimeout as delay } from 'node:timers/promises';
import { ForgeError, type Forge, type ForgeErrorKind } from '../../systems/forge/index.ts';
import { readOpened, type Opened } from './read-pull-request.ts';
import type { PullRequestReading } from '../../model/promotion/promotion.ts';

export type Merged = { state: 'merged'; revision: string } | { state: 'refused'; reason: string };

/**
 * A forge that checks for conflicts says the same as one that found some. It checks within seconds, and again after each
 * push to the base: what still cannot be merged after this long conflicts.
 */
const settlesWithinMs = 120_000;
const pauseMs = 500;

/** For these it may take as long: somebody wrote to the base, or nobody knows. */
const settles = new Set<ForgeErrorKind>(['pending', 'base-moved', 'conflict', 'unavailable']);

/** These tell that somebody was faster: reading it again shows that, or it is not true. */
const shows = new Set<ForgeErrorKind>(['head-moved', 'merged', 'closed']);
const showsWithinMs = 10_000;

/** A rule or a right stands against it; of what was read a moment ago, not found means hidden from those who would write. */
const forbids = new Set<ForgeErrorKind>(['unapproved', 'forbidden', 'missing', 'invalid']);

/**
 * Merges a pull request at exactly the head that people saw. Merged already, by whomever, at that head is success.
 *
 * @param mayMerge asked before every try, with what the forge shows. @returns why not
 * @throws ForgeError: the forge could not be asked
 */
export async function mergePinned(
  forge: Forge,
  opened: Opened,
  text: { title: string; message: string },
  mayMerge: (reading: PullRequestReading) => Promise<string | undefined>,
  withinMs = settlesWithinMs,
): Promise<Merged> {
  const { number, head } = opened;
  const begun = Date.now();
  for (;;) {
    const reading = await readOpened(forge, opened);
    const refusal = refusalOf(reading, opened) ?? (await outcomeOf(reading, mayMerge));
    if (refusal !== undefined) return refusal;
    try {
      await forge.mergePullRequest(number, { ...text, head });
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      const { kind, message, retryAfterMs } = error;
      if (forbids.has(kind)) {
        return { state: 'refused', reason: `The forge does not let us merge #${number}: ${message}` };
      }
      // Where it says for how long it wants to be left alone, the next attempt heeds that.
      if (retryAfterMs !== undefined || !(settles.has(kind) || shows.has(kind))) throw error;
      const patienceMs = settles.has(kind) ? withinMs : Math.min(withinMs, showsWithinMs);
      if (Date.now() - begun > patienceMs) {
        if (kind !== 'pending' && kind !== 'conflict') throw error;
        return {
          state: 'refused',
          reason: `#${number} cannot be merged: it conflicts with ${opened.base}, where somebody else wrote. Deliver the change again.`,
        };
      }
      await delay(pauseMs);
    }
  }
}

function refusalOf({ state, edited }: PullRequestReading, { number }: Opened): Merged | undefined {
  if (edited !== undefined) return { state: 'refused', reason: `Somebody changed #${number}: ${edited}.` };
  if (state === 'closed') return { state: 'refused', reason: `Somebody closed #${number}.` };
  return undefined;
}

async function outcomeOf(
  reading: PullRequestReading,
  mayMerge: (reading: PullRequestReading) => Promise<string | undefined>,
): Promise<Merged | undefined> {
  if (reading.state === 'merged' && reading.revision !== undefined) {
    return { state: 'merged', revision: reading.revision };
  }
  const reason = await mayMerge(reading);
  return reason === undefined ? undefined : { state: 'refused', reason };
}
