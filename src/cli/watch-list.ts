import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { type Listing, GitopsError } from '../client.ts';
import { untilInterrupted } from './interrupt.ts';

/** Visibility lags behind by about as much. */
const lookEveryMs = 3000;
/** It rests so many times as long as a list took: one of thousands is a second's work for the server. */
const restFor = 20;

/** Draws the tables again and again, until Ctrl-C. */
export async function watchList(
  look: () => Promise<Listing>,
  draw: (listing: Listing) => string,
): Promise<void> {
  if (!process.stdout.isTTY) {
    throw new GitopsError(
      'usage',
      'The list can only be watched on a terminal. Watch a change: gitops status CHANGE --watch',
    );
  }
  const update = createLogUpdate(process.stdout);
  await untilInterrupted(async (signal) => {
    try {
      while (!signal.aborted) {
        const began = performance.now();
        const listing = await look();
        const tookMs = performance.now() - began;
        update(draw(listing));
        const restMs = Math.max(lookEveryMs, restFor * tookMs);
        await sleep(restMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      update.done();
    }
  });
}
