import { setTimeout as sleep } from 'node:timers/promises';

/** Waits between attempts: for a moment of overload, not an outage, for which the caller has more patience. */
const pausesMs = [300, 1000, 3000];

/**
 * Tries again what may pass.
 *
 * @param attempt told how many went before it: what it finds done may be its own
 */
export async function retry<T>(
  attempt: (earlier: number) => Promise<T>,
  isLasting: (error: unknown) => boolean,
): Promise<T> {
  for (let earlier = 0; ; earlier += 1) {
    try {
      return await attempt(earlier);
    } catch (error) {
      const pause = pausesMs[earlier];
      if (isLasting(error) || pause === undefined) throw error;
      await sleep(pause);
    }
  }
}
