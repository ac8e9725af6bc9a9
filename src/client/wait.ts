import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '../model/delivery/delivery.ts';
import { isUnderWay } from '../model/promotion/promotion.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { GitopsError, isPassing } from './errors.ts';
import type { Session } from './session.ts';
import { news, outageMs } from './watch.ts';

/** Without a worker a look takes until its deadline; without Temporal it fails at once. */
const betweenLooksMs = 1000;

export interface WaitOptions {
  /** An environment's name, or `end` (the default). */
  until?: string;
  /** Called with the status at once, and whenever it has changed. */
  onChange?: (delivery: Delivery) => void;
  /** Ends the waiting, never the delivery. */
  signal?: AbortSignal;
}

export function waiting({ client, platform, ask, resolve, shown }: Session) {
  return {
    /**
     * Waits until a change has left an environment, or has ended; how is in what it returns. It lasts as long as the
     * delivery, whose every wait has a deadline of its own; once it has seen it, it sits out ten minutes without Temporal or
     * without a worker. One of overlays alone that concerns other environments is not waited for.
     *
     * @throws GitopsError `usage`: the change does not go to that environment
     */
    async wait(name: string, { until = 'end', onChange, signal }: WaitOptions = {}): Promise<Delivery> {
      const change = await ask(() => resolve(name));
      const look = () => ask(() => shown(change));
      let delivery = await look();
      onChange?.(delivery);
      const stop = new AbortController();
      const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
      try {
        if (isReached(delivery, until)) return delivery;
        for await (const _ of news(client, deliverId(platform, change), anySignal)) {
          const seen = await patiently(look, anySignal);
          if (JSON.stringify(seen) !== JSON.stringify(delivery)) onChange?.(seen);
          delivery = seen;
          if (isReached(delivery, until)) return delivery;
        }
        return delivery;
      } finally {
        stop.abort();
      }
    },
  };
}

/** A worker that was killed answers again once it is back; what has ended by then has no other news. */
export async function patiently<T>(look: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const since = Date.now(); ;) {
    try {
      return await look();
    } catch (error) {
      if (!isPassing(error) || signal.aborted || Date.now() - since > outageMs) throw error;
      await sleep(betweenLooksMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

const hasEnded = (part: { state: string }): boolean => part.state !== 'pending' && !isUnderWay(part);

function isReached(delivery: Delivery, until: string): boolean {
  if (hasEnded(delivery)) return true;
  if (until === 'end') return false;
  const { steps, environments, overlaysOnly } = delivery;
  const there = environments[until];
  // CI waits for dev, whatever a commit changes: there it changes nothing.
  if (!there && overlaysOnly) return true;
  // Before `verify` nobody knows where it goes.
  if (!there && steps.length > 1) {
    throw new GitopsError(
      'usage',
      `The change does not go to ${until}. It goes to: ${Object.keys(environments).join(', ')}.`,
    );
  }
  return there !== undefined && hasEnded(there);
}
