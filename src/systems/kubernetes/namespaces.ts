import { z } from 'zod';
import { isConflict, isMissing, type Kubernetes } from './index.ts';

const namespaceSchema = z.looseObject({
  metadata: z.looseObject({ uid: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.looseObject({}).default({}),
});

export const namespacePath = (name: string): string => `/api/v1/namespaces/${encodeURIComponent(name)}`;

/** Identifies a cluster: by its namespace kube-system, which lives as long as the cluster. */
export async function clusterUid(kubernetes: Kubernetes): Promise<string> {
  return namespaceSchema.parse(await kubernetes.get(namespacePath('kube-system'))).metadata.uid;
}

export type NamespaceState = 'absent' | 'there' | 'going';

export async function namespaceState(kubernetes: Kubernetes, name: string): Promise<NamespaceState> {
  const raw = await kubernetes.get(namespacePath(name));
  if (raw === undefined) return 'absent';
  return namespaceSchema.parse(raw).metadata.deletionTimestamp === undefined ? 'there' : 'going';
}

export async function ensureNamespace(
  kubernetes: Kubernetes,
  name: string,
  labels: Record<string, string> = {},
): Promise<void> {
  if ((await kubernetes.get(namespacePath(name))) !== undefined) return;
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await kubernetes.post('/api/v1/namespaces', namespace).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
  });
}

/** Ends the deletion of an empty namespace, as Kubernetes' own controller would: a scratch control plane has none. */
export async function finalizeNamespace(kubernetes: Kubernetes, name: string): Promise<void> {
  const raw = await kubernetes.get(namespacePath(name));
  if (raw === undefined) return;
  const namespace = namespaceSchema.parse(raw);
  await kubernetes
    .put(`${namespacePath(name)}/finalize`, { ...namespace, spec: { ...namespace.spec, finalizers: [] } })
    .catch((error: unknown) => {
      if (!isMissing(error) && !isConflict(error)) throw error;
    });
}
