import { z } from 'zod';
import { isConflict, isMissing, type Kubernetes } from '../kubernetes/index.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';

/**
 * How far a cluster is rebuilt. Nothing of Argo CD runs before `started`, and what came before it is never done again
 * after it.
 */
const stageSchema = z.enum(['install', 'restore', 'started']);
export type Stage = z.infer<typeof stageSchema>;

/** Tells in the cluster itself that it is being rebuilt, and by whom. */
export interface Marker {
  /** The recreation's ID. */
  recreation: string;
  /** ID of its workflow. */
  workflow: string;
  drill: boolean;
  stage: Stage;
}

/** A marker that is there: `version` is what a write of it is compared with. */
export interface FoundMarker extends Marker {
  version: string;
  /** When it was written last, by the cluster's clock; ISO 8601. */
  writtenAt: string;
}

const name = 'gitops-recreation';

const markerSchema = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
    managedFields: z.array(z.object({ time: z.string().optional() })).default([]),
  }),
  data: z.object({
    recreation: z.string(),
    workflow: z.string(),
    drill: z.enum(['true', 'false']).transform((text) => text === 'true'),
    stage: stageSchema,
  }),
});

const collection = (namespace: string): string => `${namespacePath(namespace)}/configmaps`;
const path = (namespace: string): string => `${collection(namespace)}/${name}`;

/** @param namespace of Argo CD */
export async function readMarker(
  kubernetes: Kubernetes,
  namespace: string,
): Promise<FoundMarker | undefined> {
  const raw = await kubernetes.get(path(namespace));
  return raw === undefined ? undefined : found(raw);
}

/**
 * Writes it, in the place of exactly the one that was found.
 *
 * @returns undefined when somebody else was faster
 */
export async function writeMarker(
  kubernetes: Kubernetes,
  namespace: string,
  { recreation, workflow, drill, stage }: Marker,
  before: FoundMarker | undefined,
): Promise<FoundMarker | undefined> {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(before && { resourceVersion: before.version }) },
    data: { recreation, workflow, drill: String(drill), stage },
  };
  try {
    return found(
      await (before
        ? kubernetes.put(path(namespace), object)
        : kubernetes.post(collection(namespace), object)),
    );
  } catch (error) {
    const overtaken = isMissing(error) || isConflict(error);
    if (overtaken) return undefined;
    throw error;
  }
}

export const removeMarker = (kubernetes: Kubernetes, namespace: string): Promise<void> =>
  kubernetes.delete(path(namespace));

function found(raw: unknown): FoundMarker {
  const { metadata, data } = markerSchema.parse(raw);
  const times = metadata.managedFields.flatMap(({ time }) => time ?? []);
  return {
    ...data,
    version: metadata.resourceVersion,
    writtenAt: times.toSorted().at(-1) ?? metadata.creationTimestamp,
  };
}
