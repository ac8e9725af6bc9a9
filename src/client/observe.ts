import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Observed } from '../activities/contract.ts';
import type { Live } from '../model/promotion/drift.ts';
import { mostObserved, type Observation } from '../model/temporal/input-schemas.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { observeId } from '../model/temporal/workflow-ids.ts';

export type Place = Observation['places'][number];

/** Whoever looks waits no longer for what is an addition to it; the activity answers within less. */
const withinMs = 8000;

/**
 * What some environments run now, as the workers see it: those who ask need no access to a cluster.
 *
 * @returns nothing where no worker answers within moments
 */
export async function observe(
  client: Client,
  platform: string,
  places: readonly Place[],
): Promise<((place: Pick<Place, 'environment' | 'service'>) => Live | undefined) | undefined> {
  const parts = Array.from({ length: Math.ceil(places.length / mostObserved) }, (_, index) =>
    places.slice(index * mostObserved, (index + 1) * mostObserved),
  );
  const found = await Promise.all(parts.map((part) => observePart(client, { platform, places: part }))).catch(
    () => undefined,
  );
  if (!found) return undefined;
  const known = new Map(
    found.flat().map(({ environment, service, ...live }) => [`${environment}/${service}`, live]),
  );
  return ({ environment, service }) => known.get(`${environment}/${service}`);
}

/** While a promotion is under way it tells itself what it waits for. */
export function withoutDrift(live: Live): Live {
  const { drift: _, ...rest } = live;
  return rest;
}

const observePart = (client: Client, observation: Observation): Promise<Observed[]> =>
  client.withDeadline(Date.now() + withinMs, () =>
    client.workflow.execute<(input: Observation) => Promise<Observed[]>>('observeEnvironments', {
      workflowId: observeId(observation.platform, randomUUID()),
      taskQueue: taskQueue(observation.platform, 'delivery'),
      workflowExecutionTimeout: withinMs,
      args: [observation],
      typedSearchAttributes: [{ key: attributes.platform, value: observation.platform }],
    }),
  );
