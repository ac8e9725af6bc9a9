import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@temporalio/common';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { errorText } from '../systems/system-error.ts';

/** A page of text; mounted files tell nobody that they have changed. */
const lookEveryMs = 5000;

/**
 * Waits until a file holds another configuration than the one that is served, twice in a row, since somebody may still be
 * writing it. One that is refused is told to the log, once, and changes nothing.
 *
 * @param check throws what keeps this process from serving by it
 * @param over ends the waiting
 */
export async function changedConfig(
  file: string,
  served: Config,
  check: (found: Config) => void,
  log: Logger,
  over: AbortSignal,
): Promise<Config | undefined> {
  const present = JSON.stringify(served);
  let before = present;
  for (;;) {
    await sleep(lookEveryMs, undefined, { signal: over, ref: false }).catch(() => undefined);
    if (over.aborted) return undefined;
    try {
      const found = loadConfig(file);
      check(found);
      const now = JSON.stringify(found);
      if (now !== present && now === before) {
        log.info('the configuration has changed: the worker ends what is under way, and goes on by it', {
          file,
        });
        return found;
      }
      before = now;
    } catch (error) {
      const reason = errorText(error);
      if (reason !== before) {
        log.error('the configuration has changed and is refused: the worker goes on by the one before', {
          reason,
        });
      }
      before = reason;
    }
  }
}
