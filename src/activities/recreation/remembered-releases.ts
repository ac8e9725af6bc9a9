import pLimit from 'p-limit';
import { applicationName } from '../../config/environments.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { Deployed } from '../../model/promotion/promotion.ts';
import { getJson } from '../../systems/objects/index.ts';
import { withObjects } from '../failures.ts';
import { memorySchema } from '../delivery/records.ts';
import type { Systems } from '../systems.ts';
import type { Place } from '../contract.ts';

/** So many answers of the store are waited for at a time. */
const atOnce = 16;
/** More services than any platform has. */
const mostServices = 100_000;

export interface Remembered extends Place {
  current: Deployed;
}

/** What each environment let in last, by the name of the Application. */
export async function rememberedReleases({
  config,
  objects,
}: Pick<Systems, 'config' | 'objects'>): Promise<Map<string, Remembered>> {
  const remembered = new Map<string, Remembered>();
  for (const { name: environment } of config.environments) {
    const prefix = objectKeys.environment(environment, '').slice(0, -'.json'.length);
    const found = await withObjects(() => objects.list(prefix, mostServices));
    const documents = found.filter(({ key }) => key.endsWith('.json'));
    await pLimit(atOnce).map(documents, async ({ key }) => {
      const service = key.slice(prefix.length, -'.json'.length);
      const current = (await withObjects(() => getJson(objects, key, memorySchema)))?.value.current;
      if (!current) return;
      remembered.set(applicationName(config, service, environment), { environment, service, current });
    });
  }
  return remembered;
}
