import type { Client } from '@temporalio/client';
import { changeName } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';
import type { PromotionView } from '../model/promotion/promotion.ts';
import { attributes, termOf } from '../model/temporal/search-attributes.ts';
import { environmentsOf, listedEnvironment, placeOf } from './list.ts';
import { observe, withoutDrift, type Place } from './observe.ts';
import type { Known } from './visibility.ts';

/** A status with what its environments run now: what a delivery tells of those that it has left is what it saw then. */
export async function withLive(client: Client, platform: string, delivery: Delivery): Promise<Delivery> {
  const { service, change: own } = delivery;
  const left = Object.entries(delivery.environments).filter(([, { revision }]) => revision !== undefined);
  if (left.length === 0) return delivery;
  const known = await environmentsOf(client, [termOf('platform', platform), termOf('service', service)]);
  const places = left.flatMap(([name, view]) => promotedLast(delivery, name, view, known));
  const liveIn = await observe(client, platform, places);
  if (!liveIn) return delivery;
  const seen = left.map(([name, view]) => {
    const found = liveIn({ environment: name, service });
    const live = found && view.state === 'running' ? withoutDrift(found) : found;
    const promoted = places.find(({ environment }) => environment === name)?.promoted;
    // One of the overlay alone came later than the release that it left there.
    const change = promoted && changeName({ service, commit: promoted.overlay ?? promoted.change.commit });
    const other = change !== undefined && change !== own ? { change } : {};
    return [name, live ? { ...view, live: { ...live, ...other } } : view] as const;
  });
  return { ...delivery, environments: { ...delivery.environments, ...Object.fromEntries(seen) } };
}

/**
 * What is in an environment where a change got in: the change itself, or what was promoted since. Lists hear of that moments
 * after the change did.
 */
function promotedLast(
  { service, commit }: Delivery,
  environment: string,
  { startedAt = '', revision, imageDigest }: PromotionView,
  known: readonly Known[],
): Place[] {
  const info = known.find(
    ({ typedSearchAttributes }) => typedSearchAttributes.get(attributes.environment) === environment,
  );
  if (!info) return [];
  const [listed] = listedEnvironment(info);
  if (revision === undefined || (listed?.current?.at ?? '') >= startedAt) return placeOf(info);
  const own = {
    change: { service, commit },
    revision,
    ...(imageDigest !== undefined && { image: imageDigest }),
  };
  return [{ environment, service, promoted: own }];
}
