import { GitopsError, type Delivery, type GitopsClient } from '../client.ts';
import { note, type CommonOptions } from './common.ts';
import { displayOf } from './display.ts';
import { draw } from './draw.ts';
import { changedLines } from './lines.ts';
import { shortChange } from './text.ts';

/**
 * Watches deliveries until each has left the environment `until`, or has ended: a picture on a terminal, otherwise a line
 * for each change of state. Ctrl-C ends the watching, never the delivery.
 *
 * @returns the statuses last seen, or undefined after Ctrl-C
 */
export async function watch(
  gitops: GitopsClient,
  changes: readonly string[],
  { until = 'end', json }: { until?: string } & Pick<CommonOptions, 'json'>,
): Promise<Delivery[] | undefined> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.on('SIGINT', interrupt);
  const display = displayOf<Delivery>({ name: ({ change }) => change, draw, lines: changedLines }, json);
  try {
    const deliveries = await Promise.all(
      changes.map((change) =>
        gitops.wait(change, { until, signal: stop.signal, onChange: (seen) => display.show(seen) }),
      ),
    );
    if (!stop.signal.aborted) return deliveries;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    display.end();
    process.off('SIGINT', interrupt);
  }
  const [first = ''] = changes;
  note(`Stopped watching. The delivery goes on; look again: gitops status ${shortChange(first)} --watch`);
  return undefined;
}

/** 130 is what shells call "ended by Ctrl-C". */
export const interrupted = 130;

/** The state that a wait was for: the environment's, when the change came that far, else the delivery's. */
export function stateReached(
  delivery: Delivery,
  until: string | undefined,
): Delivery['environments'][string]['state'] {
  const there = until === undefined ? undefined : delivery.environments[until];
  return there && there.state !== 'pending' ? there.state : delivery.state;
}

/** @throws GitopsError `usage`: no such environment */
export function checkEnvironment(name: string | undefined, known: readonly { name: string }[]): void {
  if (name === undefined || known.some((environment) => environment.name === name)) return;
  throw new GitopsError(
    'usage',
    `There is no environment ${name}. There are: ${known.map((environment) => environment.name).join(', ')}.`,
  );
}
