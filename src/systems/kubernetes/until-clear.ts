import { setTimeout as sleep } from 'node:timers/promises';
import { SystemError } from '../system-error.ts';

const pauseMs = 250;

/**
 * Looks again and again until nothing is in the way any more.
 *
 * @param look tells what is in the way
 * @throws SystemError with what still is at the deadline; the signal's reason
 */
export async function untilClear(
  look: () => Promise<string | undefined>,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const obstacle = await look();
    if (obstacle === undefined) return;
    if (Date.now() >= deadline) {
      throw new SystemError(`After ${Math.round(withinMs / 1000)} s still: ${obstacle}`);
    }
    await sleep(pauseMs, undefined, { signal });
  }
}
