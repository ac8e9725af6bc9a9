import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { GitopsError, type Delivery, type Documents } from '../client.ts';
import type { Config } from '../config/schema.ts';
import { logEnd, logEndBytes } from '../model/text/log-end.ts';
import { objectKeys } from '../model/object-keys.ts';
import { lazily } from '../systems/lazily.ts';
import { getJson, type ObjectStore } from '../systems/objects/index.ts';
import { errorText } from '../systems/system-error.ts';

/** As much of the document as is shown of it. */
const shape = z.looseObject({
  change: z.string(),
  service: z.string(),
  commit: z.string(),
  state: z.string(),
  steps: z.array(z.looseObject({ name: z.string(), state: z.string() })),
  environments: z.record(z.string(), z.looseObject({ state: z.string() })),
});
const deliverySchema = z.custom<Delivery>((value) => shape.safeParse(value).success);

/** A prefix that fits more than this is ambiguous in any case. */
const mostCommits = 10;

/** The configured object store, opened when something is looked for in it. */
export function documentsOf(config: Config): Documents {
  const open = lazily(async () => (await import('../wiring/object-store.ts')).objectStoreOf(config));

  async function read<T>(work: (store: ObjectStore) => Promise<T>): Promise<T> {
    try {
      return await work(await open());
    } catch (error) {
      const why = errorText(error);
      throw new GitopsError('unreachable', `Temporal does not have it, and ${lowerFirst(why)}`, {
        cause: error,
      });
    }
  }

  return {
    delivery: (change) =>
      read(async (store) => (await getJson(store, objectKeys.delivery(change), deliverySchema))?.value),
    commits: (service, prefix) =>
      read(async (store) => {
        const key = objectKeys.delivery({ service, commit: prefix }).slice(0, -'.json'.length);
        const keys = await store.list(key, mostCommits);
        return keys.map((found) => found.slice(found.lastIndexOf('/') + 1, -'.json'.length));
      }),
    logEnd: async (key) => {
      const found = await (await open()).get(key, logEndBytes);
      return found && logEnd(stripVTControlCharacters(found.body));
    },
    diff: async (key) => (await (await open()).get(key))?.body,
  };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
