import type { Client } from '@temporalio/client';
import { changeName } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';
import { environmentsOf, placeOf } from './list.ts';
import { observe, withoutDrift } from './observe.ts';

/** A status with what its environments run now: what a delivery tells of those that it has left is what it saw then. */
export async function withLive(client: Client, platform: string, delivery: Delivery): Promise<Delivery> {
  const { service, change: own } = delivery;
  const left = Object.entries(delivery.environments).filter(([, { revision }]) => revision !== undefined);
  if (left.length === 0) return delivery;
  const known = await environmentsOf(client, [
    `GitopsPlatform = "${platform}"`,
    `GitopsService = "${service}"`,
  ]);
  const places = known
    .flatMap(placeOf)
    .filter(({ environment }) => left.some(([name]) => name === environment));
  const liveIn = await observe(client, platform, places);
  if (!liveIn) return delivery;
  const seen = left.map(([name, view]) => {
    const found = liveIn({ environment: name, service });
    const live = found && view.state === 'running' ? withoutDrift(found) : found;
    const promoted = places.find(({ environment }) => environment === name)?.promoted;
    const change = promoted && changeName(promoted.change);
    const other = change !== undefined && change !== own ? { change } : {};
    return [name, live ? { ...view, live: { ...live, ...other } } : view] as const;
  });
  return { ...delivery, environments: { ...delivery.environments, ...Object.fromEntries(seen) } };
}
