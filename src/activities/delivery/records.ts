import { z } from 'zod';
import { isConfigured, noSuchEnvironment } from '../../config/environments.ts';
import { changeSchema } from '../../model/delivery/change.ts';
import type { Attempt, Delivery } from '../../model/delivery/delivery.ts';
import { unknownEnvironment, type EnvironmentMemory } from '../../model/promotion/environment.ts';
import { promotionStates } from '../../model/promotion/promotion.ts';
import { parseJson } from '../../model/json.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { digestSchema, shaSchema } from '../../model/names.ts';
import { getJson } from '../../systems/objects/index.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import { failed, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import type { Place, RecordActivities } from '../contract.ts';
import { runningRelease } from './running-release.ts';

const deployedSchema = z.object({
  change: changeSchema,
  position: z.int(),
  revision: shaSchema,
  manifests: shaSchema.exactOptional(),
  image: z.object({ name: z.string(), digest: digestSchema }).exactOptional(),
  overlay: z.object({ commit: shaSchema, position: z.int() }).exactOptional(),
  at: z.string(),
});
export const memorySchema: z.ZodType<EnvironmentMemory> = z.object({
  current: deployedSchema.exactOptional(),
  lastHealthy: deployedSchema.exactOptional(),
});

export function createRecordActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'objects' | 'argocd' | 'temporal'>,
): RecordActivities {
  const { config, objects, temporal } = systems;

  return {
    /** Reads only. */
    async recallEnvironment(place) {
      const { environment } = place;
      if (!isConfigured(config, environment)) {
        throw failed(unknownEnvironment, `${noSuchEnvironment(config, environment)} See gitops.yaml.`);
      }
      const stored = await getJson(objects, keyOf(place), memorySchema);
      if (stored) return stored.value;
      const running = await withGit(() => runningRelease(systems, place));
      return running ? { current: running, lastHealthy: running } : {};
    },

    /** Safe to repeat and late: a memory never takes the place of a younger one. */
    async rememberEnvironment({ memory, ...place }) {
      const key = keyOf(place);
      const stored = await getJson(objects, key, memorySchema);
      if (stored && ageOf(stored.value) > ageOf(memory)) return;
      await replace(key, stored, memory);
    },

    /** Safe to repeat and late: what it knew since then stays. An empty memory, unlike none, adopts nothing that runs. */
    async forgetEnvironment({ at = '', ...place }) {
      const key = keyOf(place);
      const stored = await getJson(objects, key, memorySchema);
      if (stored && ageOf(stored.value) <= at) await replace(key, stored, {});
    },

    /** Safe to repeat and late: only a delivery that is open is recorded, and of one change only the last is. */
    async recordDelivery({ delivery }) {
      const { service, commit } = delivery;
      const key = objectKeys.delivery({ service, commit });
      const stored = await objects.get(key);
      if (await ownRunIsOpen(temporal)) await replace(key, stored, withEarlier(delivery, stored?.body));
    },
  };

  async function replace(key: string, stored: { etag: string } | undefined, value: object): Promise<void> {
    const condition = stored ? { ifMatch: stored.etag } : { ifAbsent: true };
    if (await objects.put(key, JSON.stringify(value), condition)) return;
    throw new Error(`${key} was written by somebody else meanwhile. Trying again.`);
  }
}

const keyOf = ({ environment, service }: Place): string => objectKeys.environment(environment, service);

/** ISO 8601 sorts as text. */
const ageOf = ({ current }: EnvironmentMemory): string => current?.at ?? '';

/** As many as anybody reads; each is a line. */
const mostAttempts = 100;

const attemptSchema = z.object({
  state: z.enum(promotionStates),
  startedAt: z.string(),
  finishedAt: z.string().exactOptional(),
});
const storedSchema = z.object({
  state: attemptSchema.shape.state,
  steps: z.array(attemptSchema.pick({ startedAt: true, finishedAt: true }).partial()),
  attempts: z.array(attemptSchema).default([]),
});

/** The delivery, with the one that was stored before it and those before that; one that cannot be read is left out. */
function withEarlier(delivery: Delivery, stored: string | undefined): Delivery {
  const { data } = storedSchema.safeParse(parseJson(stored ?? ''));
  const attempts = data ? earlierThan(delivery, data) : [];
  return attempts.length === 0 ? delivery : { ...delivery, attempts };
}

function earlierThan(
  delivery: Delivery,
  { state, steps, attempts }: z.infer<typeof storedSchema>,
): Attempt[] {
  const startedAt = steps[0]?.startedAt ?? '';
  // An attempt whose answer was lost has stored this very one.
  if (startedAt === (delivery.steps[0]?.startedAt ?? '')) return attempts;
  const finishedAt = steps.findLast((step) => step.finishedAt !== undefined)?.finishedAt;
  const stored = { state, startedAt, ...(finishedAt !== undefined && { finishedAt }) };
  return [stored, ...attempts].slice(0, mostAttempts);
}
