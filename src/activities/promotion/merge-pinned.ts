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

/** These tell that somebody was faster, or that nobody knows: reading again shows what is true. */
const readAgain = new Set<ForgeErrorKind>([
  'pending',
  'base-moved',
  'conflict',
  'unavailable',
  'head-moved',
  'merged',
  'closed',
  'missing',
]);

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
  const deadline = Date.now() + withinMs;
  for (;;) {
    const reading = await readOpened(forge, opened);
    const refusal = refusalOf(reading, opened) ?? (await outcomeOf(reading, mayMerge));
    if (refusal !== undefined) return refusal;
    try {
      await forge.mergePullRequest(number, { ...text, head });
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      if (error.kind === 'unapproved' || error.kind === 'forbidden') {
        return { state: 'refused', reason: `The forge does not let us merge #${number}: ${error.message}` };
      }
      if (!readAgain.has(error.kind)) throw error;
      if (Date.now() > deadline) {
        if (error.kind !== 'pending' && error.kind !== 'conflict') throw error;
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
