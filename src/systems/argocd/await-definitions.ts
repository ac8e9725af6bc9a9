import { z } from 'zod';
import type { Manifest } from '../../model/manifests.ts';
import { KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import { Resources, type Resource } from '../kubernetes/resources.ts';
import { untilClear } from '../kubernetes/until-clear.ts';

/** An API server serves new definitions within seconds; a busy one takes longer. */
const establishedWithinMs = 120_000;

const definitionSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
  }),
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .nullish(),
    })
    .prefault({}),
});

/**
 * Waits until the API server serves the kinds of these CustomResourceDefinitions.
 *
 * @throws SystemError: one takes too long
 */
export async function awaitDefinitions(
  { kubernetes, signal }: { kubernetes: Kubernetes; signal: AbortSignal },
  definitions: Manifest[],
): Promise<void> {
  const resources = new Resources(kubernetes);
  const look = async (): Promise<string | undefined> => {
    for (const { name, apiVersion } of definitions) {
      const raw = await kubernetes.get(
        `/apis/${apiVersion}/customresourcedefinitions/${encodeURIComponent(name)}`,
      );
      if (raw === undefined) return `the definition ${name} is gone.`;
      const { spec, status } = definitionSchema.parse(raw);
      const conditions = status.conditions ?? [];
      const unmet = conditions.find(
        ({ type, status: is }) => (type === 'NamesAccepted' || type === 'Established') && is !== 'True',
      );
      if (unmet || conditions.length === 0) {
        return `the definition ${name} is not established${unmet ? `: ${unmet.message}` : '.'}`;
      }
      const version = spec.versions.find(({ served }) => served)?.name ?? '';
      const kind = { apiVersion: `${spec.group}/${version}`, kind: spec.names.kind };
      const resource = await resources.find(kind);
      if (!resource || !(await answers(kubernetes, resource))) {
        return `${spec.names.kind}s are defined and not served yet.`;
      }
    }
    return undefined;
  };
  await untilClear(look, { withinMs: establishedWithinMs, signal });
}

/** A kind is announced a moment before it is stored. */
async function answers(kubernetes: Kubernetes, { path }: Resource): Promise<boolean> {
  try {
    return (await kubernetes.get(path, { limit: 1 })) !== undefined;
  } catch (error) {
    if (error instanceof KubernetesError && [429, 503].includes(error.status)) return false;
    throw error;
  }
}
