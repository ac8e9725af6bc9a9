import type { Delivery } from '../model/delivery.ts';
import { deliverId } from '../model/ids.ts';
import { GitopsError } from './errors.ts';
import type { Session } from './session.ts';
import { news } from './watch.ts';

export interface WaitOptions {
  /** An environment's name, or `end` (the default). */
  until?: string;
  /** Called with the status at once, and whenever it has changed. */
  onChange?: (delivery: Delivery) => void;
  /** Ends the waiting, never the delivery. */
  signal?: AbortSignal;
}

export function waiting({ client, platform, ask, resolve, status }: Session) {
  return {
    /**
     * Waits until a change has left an environment, or has ended; how is in what it returns. It lasts as long as the
     * delivery, whose every wait has a deadline of its own; it sits out ten minutes of Temporal's absence.
     *
     * @throws GitopsError `usage`: the change does not go to that environment
     */
    async wait(name: string, { until = 'end', onChange, signal }: WaitOptions = {}): Promise<Delivery> {
      const change = await ask(() => resolve(name));
      const look = () => ask(() => status(change));
      let delivery = await look();
      onChange?.(delivery);
      const stop = new AbortController();
      const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
      try {
        if (isReached(delivery, until)) return delivery;
        for await (const _ of news(client, deliverId(platform, change), anySignal)) {
          const seen = await look();
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

const isUnderWay = (state: string): boolean => ['pending', 'running', 'waiting'].includes(state);

function isReached({ state, steps, environments }: Delivery, until: string): boolean {
  if (!isUnderWay(state)) return true;
  if (until === 'end') return false;
  const there = environments[until];
  // Before `verify` nobody knows where it goes.
  if (!there && steps.length > 1) {
    throw new GitopsError(
      'usage',
      `The change does not go to ${until}. It goes to: ${Object.keys(environments).join(', ')}.`,
    );
  }
  return there !== undefined && !isUnderWay(there.state);
}
