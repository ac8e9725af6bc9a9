import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';
import { logOrigin, type LogOrigin } from '../model/object-keys.ts';
import type { ListedObject } from '../systems/objects/index.ts';
import type { Documents } from './documents.ts';
import { GitopsError } from './errors.ts';
import type { Session } from './session.ts';
import { patiently, waiting } from './wait.ts';

/** What a log holds, or what was written to it since the last part. */
export type LogPart = LogOrigin & ListedObject & { text: string };

export interface LogOptions {
  /** Only what this step wrote, as the status names it: `test`, `build`, an environment. */
  step?: string;
  /** Whether to go on with what is written, until the delivery has ended. */
  follow?: boolean;
  /** While it follows: called with the status at once, and whenever it has changed. */
  onChange?: (delivery: Delivery) => void;
  /** Ends the following, never the delivery. */
  signal?: AbortSignal;
}

/** Steps store what they have written about as often. */
const lookEveryMs = 3000;

export function readingLogs(session: Session) {
  const { documents, ask, resolve, status } = session;
  const watching = waiting(session);

  return {
    /**
     * What the steps of a change wrote, whole, in the order of the steps and attempt after attempt. With `follow` also what
     * they write from then on, some seconds later than they do; that lasts as long as the delivery, and sits out ten
     * minutes without Temporal or without the object store.
     *
     * @throws GitopsError `usage`: there is no such step, or no object store is configured
     */
    async *logs(
      name: string,
      { step, follow = false, onChange, signal }: LogOptions = {},
    ): AsyncGenerator<LogPart, void> {
      if (!documents) {
        throw new GitopsError('usage', 'Logs lie in the object store, and none is configured here.');
      }
      const change = await ask(() => resolve(name));
      const news = newsOf(documents, change, step);
      let delivery = await ask(() => status(change));
      yield* news(delivery, (work) => work());
      if (!follow) return;

      const stop = new AbortController();
      const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
      let isOver = false;
      const over = watching
        .wait(name, {
          signal: anySignal,
          onChange(seen) {
            delivery = seen;
            onChange?.(seen);
          },
        })
        .finally(() => (isOver = true));
      // Thrown where it is waited for.
      over.catch(() => undefined);
      try {
        for (let known: Delivery | undefined; ;) {
          const isLast = isOver;
          // While people are waited for, nothing is written.
          if (isLast || delivery !== known || delivery.state === 'running') {
            known = delivery;
            yield* news(delivery, (work) => patiently(work, anySignal));
          }
          if (isLast) break;
          await Promise.race([sleep(lookEveryMs, undefined, { signal: stop.signal }), over]);
        }
        await over;
      } finally {
        stop.abort();
      }
    },
  };
}

/** What there is in the logs of a change that was not told before. */
function newsOf(documents: Documents, change: Change, step: string | undefined) {
  const told = new Map<string, number>();
  return async function* news(
    delivery: Delivery,
    read: <T>(work: () => Promise<T>) => Promise<T>,
  ): AsyncGenerator<LogPart, void> {
    checkStep(delivery, step);
    for (const log of ordered(await read(() => documents.logs(change)), delivery)) {
      const before = told.get(log.key);
      if (log.size === before || (step !== undefined && log.step !== step)) continue;
      if (before !== undefined && log.size < before) {
        told.set(log.key, log.size);
        yield { ...log, text: '\n… the middle is left out: it is longer than what is kept …\n' };
        continue;
      }
      const text = await read(() => documents.log(log.key, before ?? 0));
      // Of one that is being written there may be more by now.
      told.set(log.key, (before ?? 0) + Buffer.byteLength(text));
      yield { ...log, text };
    }
  };
}

/** @throws GitopsError `usage` */
function checkStep({ change, steps }: Delivery, step: string | undefined): void {
  // Before `verify` nobody knows which there are.
  if (step === undefined || steps.length <= 1 || steps.some(({ name }) => name === step)) return;
  const names = steps.map(({ name }) => name).join(', ');
  throw new GitopsError('usage', `${change} has no step ${step}. It has: ${names}.`);
}

function ordered(found: readonly ListedObject[], { steps }: Delivery): (LogOrigin & ListedObject)[] {
  const position = new Map(steps.map(({ name }, index) => [name, index]));
  const positionOf = (log: LogOrigin): number => position.get(log.step) ?? steps.length;
  return found
    .flatMap((object) => {
      const origin = logOrigin(object.key);
      return origin ? [{ ...origin, ...object }] : [];
    })
    .toSorted((a, b) => positionOf(a) - positionOf(b) || a.writtenAt.localeCompare(b.writtenAt));
}
