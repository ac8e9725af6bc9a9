import { setTimeout as sleep } from 'node:timers/promises';

/** Between attempts. They bridge a moment of overload; an outage is the caller's to wait for. */
const pausesMs = [300, 1000, 3000];

/**
 * Tries again what may pass.
 *
 * @param attempt told how many went before it: what it finds done, one of those may have done
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
