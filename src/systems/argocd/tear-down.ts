import { z } from 'zod';
import { forEachConcurrently } from '../concurrency/for-each-concurrently.ts';
import { listAll } from '../kubernetes/list.ts';
import { argoProjApi, argoProjPath } from './api-paths.ts';
import type { Place } from './install.ts';
import type { Installation } from './manifest.ts';
import { finalizeNamespace, namespacePath, namespaceState } from '../kubernetes/namespaces.ts';
import { untilClear } from '../kubernetes/until-clear.ts';
import { collectionPath, objectPath, Resources, type Resource } from '../kubernetes/resources.ts';

/** An API server removes ten thousand Applications in well under a minute. */
const goneWithinMs = 5 * 60_000;

export interface TornDown extends Place {
  installation: Installation;
  /** Namespace of the sealed-secrets controller. */
  sealingKeys: string;
  /** What was made outside of Argo CD's namespace carries it: `key=value`. */
  labelSelector: string;
  parallel: number;
}

/**
 * Removes all that a drill made, also where no controller runs that would finish a deletion. Argo CD's namespace, in
 * which the drill is noted, goes last: so another attempt finds what one that died has left. Safe to repeat.
 */
export async function tearDown(torn: TornDown): Promise<void> {
  const { kubernetes, namespace, installation, labelSelector, sealingKeys, guard } = torn;
  const resources = new Resources(kubernetes);
  await guard();
  await removeApplications(torn);
  await removeDefinitions(torn, resources);
  for (const object of installation.others) {
    const resource = await resources.find(object);
    if (resource && !resource.namespaced && object.kind !== 'Namespace') {
      await kubernetes.delete(objectPath(resource, object, namespace));
    }
  }
  await kubernetes.delete(`${namespacePath(sealingKeys)}/secrets`, { labelSelector });
  for await (const { metadata } of listAll(kubernetes, '/api/v1/namespaces', labelSelector)) {
    if (metadata.name !== namespace) await removeNamespace(torn, metadata.name, []);
  }
  await removeNamespace(torn, namespace, await kindsIn(installation, resources));
}

/** Their finalizers wait for an Argo CD that prunes what they deployed. In a drill none runs, and nothing was deployed. */
async function removeApplications({ kubernetes, parallel }: TornDown): Promise<void> {
  for (const plural of ['applications', 'applicationsets', 'appprojects']) {
    const held = heldIn(`${argoProjApi}/${plural}`);
    await forEachConcurrently(parallel, held, async ({ name, namespace }) => {
      const path = argoProjPath(namespace, plural, name);
      await kubernetes.patch(path, { metadata: { finalizers: null } });
    });
  }

  async function* heldIn(path: string): AsyncGenerator<{ name: string; namespace: string }> {
    for await (const { metadata } of listAll(kubernetes, path)) {
      const { name, namespace = '', finalizers = [] } = metadata;
      if (finalizers.length > 0) yield { name, namespace };
    }
  }
}

/** With each goes what it defines: the API server itself sees to that. */
async function removeDefinitions(
  { kubernetes, namespace, installation, signal }: TornDown,
  resources: Resources,
): Promise<void> {
  const paths: string[] = [];
  for (const definition of installation.definitions) {
    const resource = await resources.find(definition);
    if (resource) paths.push(objectPath(resource, definition, namespace));
  }
  for (const path of paths) await kubernetes.delete(path);
  const look = async (): Promise<string | undefined> => {
    for (const path of paths) {
      if ((await kubernetes.get(path)) !== undefined) return `${path} is not gone.`;
    }
    return undefined;
  };
  await untilClear(look, { withinMs: goneWithinMs, signal });
}

/** What may lie in Argo CD's namespace. ConfigMaps last, since the drill is noted in one. */
async function kindsIn({ others, workloads }: Installation, resources: Resources): Promise<Resource[]> {
  const found = new Map<string, Resource>();
  for (const object of [...others, ...workloads, { apiVersion: 'v1', kind: 'Secret' }]) {
    const resource = await resources.find(object);
    if (resource?.namespaced) found.set(resource.path, resource);
  }
  const configMaps = await resources.find({ apiVersion: 'v1', kind: 'ConfigMap' });
  if (configMaps) {
    found.delete(configMaps.path);
    found.set(configMaps.path, configMaps);
  }
  return [...found.values()];
}

async function removeNamespace(
  { kubernetes, signal }: TornDown,
  name: string,
  kinds: Resource[],
): Promise<void> {
  await kubernetes.delete(namespacePath(name));
  for (const kind of kinds) await kubernetes.delete(collectionPath(kind, name));
  const look = async (): Promise<string | undefined> => {
    const [kind] = await leftIn(kinds, name);
    if (kind) return `${kind.plural} in the namespace ${name}.`;
    await finalizeNamespace(kubernetes, name);
    const state = await namespaceState(kubernetes, name);
    return state === 'absent' ? undefined : `the namespace ${name} is not gone.`;
  };
  await untilClear(look, { withinMs: goneWithinMs, signal });

  async function leftIn(of: Resource[], namespace: string): Promise<Resource[]> {
    const left: Resource[] = [];
    for (const kind of of) {
      const { items } = listSchema.parse(await kubernetes.get(collectionPath(kind, namespace), { limit: 1 }));
      if (items.length > 0) left.push(kind);
    }
    return left;
  }
}

const listSchema = z.object({ items: z.array(z.unknown()) });
