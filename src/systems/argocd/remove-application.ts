import { z } from 'zod';
import { trackingOf } from '../../model/argocd/tracking.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { objectPath, Resources, type ObjectName } from '../kubernetes/resources.ts';
import { parseApplication } from './application.ts';
import type { LeftObject } from './index.ts';

/** With it the objects of an Application are deleted before it goes itself; without, they stay. */
const cascade = 'resources-finalizer.argocd.argoproj.io';
/** Written by older releases of Argo CD, too. */
const isCascade = (finalizer: string): boolean =>
  /^(resources-|foreground-)finalizer\.argocd\.argoproj\.io/.test(finalizer);

const applicationSchema = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    finalizers: z.array(z.string()).default([]),
    deletionTimestamp: z.string().optional(),
  }),
});

/**
 * Deletes an Application with all that it deployed, at the revision that was looked at. It gets the finalizer for that where
 * it lacks it.
 *
 * @returns whether it is on its way, or not there any more, or has deployed another revision since
 * @throws KubernetesError 409: somebody changed it meanwhile
 */
export async function removeApplication(
  kubernetes: Kubernetes,
  path: string,
  deployedRevision: string | undefined,
): Promise<'going' | 'absent' | 'changed'> {
  const raw = await kubernetes.get(path);
  if (raw === undefined) return 'absent';
  const { uid, resourceVersion, finalizers, deletionTimestamp } = applicationSchema.parse(raw).metadata;
  if (deletionTimestamp !== undefined) return 'going';
  if (parseApplication(raw).deployedRevision !== deployedRevision) return 'changed';
  if (!finalizers.some(isCascade)) {
    // With its version: one that somebody deletes this very moment must not be taken for cascading.
    await kubernetes.patch(path, { metadata: { resourceVersion, finalizers: [...finalizers, cascade] } });
  }
  await kubernetes.delete(path, {}, { uid });
  return 'going';
}

/** The Application that brings this one, as Argo CD names it there; nothing where nobody does, or it is not there. */
export async function bringerOf(kubernetes: Kubernetes, path: string): Promise<string | undefined> {
  const raw = await kubernetes.get(path);
  if (raw === undefined) return undefined;
  return trackingOf(trackedSchema.parse(raw).metadata).instance?.replace('_', '/');
}

const trackedSchema = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  }),
});

/**
 * Which of some objects are there and carry the name of an Application, by annotation or, as Argo CD did before, by label.
 *
 * @param instance what Argo CD calls the Application there
 */
export async function leftObjects(
  kubernetes: Kubernetes,
  instance: string,
  objects: readonly ObjectName[],
  namespace: string,
): Promise<LeftObject[]> {
  const resources = new Resources(kubernetes);
  const left = new Map<string, LeftObject>();
  for (const object of objects) {
    const resource = await resources.find(object);
    const path = resource && objectPath(resource, object, namespace);
    const raw = path === undefined ? undefined : await kubernetes.get(path);
    if (raw === undefined || path === undefined) continue;
    const { metadata } = trackedSchema.parse(raw);
    if (trackingOf(metadata).instance !== instance) continue;
    const where = resource?.namespaced ? ` in ${object.namespace || namespace}` : '';
    left.set(path, {
      name: `${object.kind}/${object.name}${where}`,
      isGoing: metadata.deletionTimestamp !== undefined,
    });
  }
  return [...left.values()];
}
