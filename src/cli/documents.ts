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

/** Of one change: more attempts than anybody makes. */
const mostLogs = 10_000;

/** The configured object store, opened when something is looked for in it. */
export function documentsOf(config: Config): Documents {
  const open = lazily(async () => (await import('../wiring/object-store.ts')).objectStoreOf(config));

  async function read<T>(
    work: (store: ObjectStore) => Promise<T>,
    tell = (why: string) => `Temporal does not have it, and ${lowerFirst(why)}`,
  ): Promise<T> {
    try {
      return await work(await open());
    } catch (error) {
      throw new GitopsError('unreachable', tell(errorText(error)), { cause: error });
    }
  }
  const readLogs = <T>(work: (store: ObjectStore) => Promise<T>): Promise<T> =>
    read(work, (why) => `The logs cannot be read: ${lowerFirst(why)}`);

  return {
    delivery: (change) =>
      read(async (store) => (await getJson(store, objectKeys.delivery(change), deliverySchema))?.value),
    commits: (service, prefix) =>
      read(async (store) => {
        const key = objectKeys.delivery({ service, commit: prefix }).slice(0, -'.json'.length);
        const found = await store.list(key, mostCommits);
        return found.map(({ key }) => key.slice(key.lastIndexOf('/') + 1, -'.json'.length));
      }),
    logEnd: async (key) => {
      const found = await (await open()).get(key, { last: logEndBytes });
      return found && logEnd(stripVTControlCharacters(found.body));
    },
    logs: (change) => readLogs((store) => store.list(objectKeys.logs(change), mostLogs)),
    log: (key, after) => readLogs(async (store) => (await store.get(key, { after }))?.body ?? ''),
    diff: async (key) => (await (await open()).get(key))?.body,
  };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
