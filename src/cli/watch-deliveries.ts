import type { Delivery, GitopsClient } from '../client.ts';
import { note, type CommonOptions } from './common.ts';
import { displayOf } from './display.ts';
import { drawDelivery } from './draw-delivery.ts';
import { untilInterrupted } from './interrupt.ts';
import { deliveryLines } from './delivery-lines.ts';
import { shortChange } from './text.ts';

/**
 * Watches deliveries until each has left the environment `until`, or has ended: a picture on a terminal, otherwise a line
 * for each change of state. Ctrl-C ends the watching, never the delivery.
 *
 * @returns the statuses last seen, or undefined after Ctrl-C
 */
export async function watchDeliveries(
  gitops: GitopsClient,
  changes: readonly string[],
  { until = 'end', json }: { until?: string } & Pick<CommonOptions, 'json'>,
): Promise<Delivery[] | undefined> {
  const looks = { name: ({ change }: Delivery) => change, draw: drawDelivery, lines: deliveryLines };
  const display = displayOf<Delivery>(looks, json);
  return untilInterrupted(async (signal) => {
    try {
      const deliveries = await Promise.all(
        changes.map((change) =>
          gitops.wait(change, { until, signal, onChange: (seen) => display.show(seen) }),
        ),
      );
      if (!signal.aborted) return deliveries;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      display.end();
    }
    const [first = ''] = changes;
    note(`Stopped watching. The delivery goes on; look again: gitops status ${shortChange(first)} --watch`);
    return undefined;
  });
}

/** The state that a wait was for: the environment's, when the change came that far, else the delivery's. */
export function stateReached(
  delivery: Delivery,
  until: string | undefined,
): Delivery['environments'][string]['state'] {
  const there = until === undefined ? undefined : delivery.environments[until];
  return there && there.state !== 'pending' ? there.state : delivery.state;
}
