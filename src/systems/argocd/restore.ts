import { z } from 'zod';
import { heldBack } from '../../model/recovery/automation.ts';
import { backupKinds, type BackupKind } from '../../model/recovery/backup.ts';
import { canonicalJson } from '../../model/json.ts';
import { reduced } from '../../model/recovery/backup-contents.ts';
import { parseExactly } from '../kubernetes/exact-json.ts';
import { isConflict, isMissing, KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import { ensureNamespace } from '../kubernetes/namespaces.ts';

export interface Restoring {
  kubernetes: Kubernetes;
  /** Of Argo CD. */
  namespace: string;
  /** Put on what is made outside of that, so that it can be found and taken away. */
  labels?: Record<string, string>;
  /** `lately`: whether all was well a moment ago will do. @throws when nothing may be changed any more */
  guard: (asked: 'now' | 'lately') => Promise<void>;
}

const collections: Record<BackupKind, string> = {
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  AppProject: 'appprojects',
  Application: 'applications',
  ApplicationSet: 'applicationsets',
};

const texts = z.record(z.string(), z.string()).optional();
const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(backupKinds),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: texts,
    annotations: texts,
    finalizers: z.array(z.string()).optional(),
    resourceVersion: z.string().optional(),
  }),
});
type StoredObject = z.infer<typeof objectSchema>;

/** Somebody else changes or removes the same object: so often in a row, something is wrong. */
const mostTries = 10;

/**
 * Makes objects as a backup has them, but so that nothing syncs before it is told to. Safe to repeat, side by side and
 * late: one that is there is compared, and what differs is replaced only as long as nobody else changes it.
 */
export function createRestore(restoring: Restoring): (line: string) => Promise<'created' | 'kept'> {
  const { kubernetes, namespace: home, labels, guard } = restoring;
  const namespaces = new Map<string, Promise<void>>();

  /** Of those outside of Argo CD's own. */
  async function namespaceOf({ metadata: { namespace } }: StoredObject): Promise<string> {
    if (namespace === undefined) return home;
    const made = namespaces.get(namespace) ?? ensureNamespace(kubernetes, namespace, labels);
    namespaces.set(namespace, made);
    await made;
    return namespace;
  }

  return async (line) => {
    await guard('lately');
    const stored = objectSchema.parse(parseExactly(line));
    const namespace = await namespaceOf(stored);
    const wanted = wantedObject(stored, namespace, namespace === home ? undefined : labels);
    const { apiVersion, kind, metadata } = wanted;
    const api = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const collection = `${api}/namespaces/${encodeURIComponent(namespace)}/${collections[kind]}`;
    const path = `${collection}/${encodeURIComponent(metadata.name)}`;
    const form = (object: StoredObject) => canonicalJson(reduced(apiVersion, kind, object, home));

    for (let tries = 1; ; tries += 1) {
      try {
        await kubernetes.post(collection, wanted);
        return 'created';
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const text = await kubernetes.text(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (text !== undefined) {
        const there = objectSchema.parse(parseExactly(text));
        if (form(there) === form(wanted) && there['operation'] === undefined) return 'kept';
        if (labels && namespace !== home && !carries(there, labels)) throw somebodyElses(wanted);
        // After the look: whatever happens to the object from here on refuses the write.
        await guard('now');
        try {
          const { resourceVersion } = there.metadata;
          await kubernetes.put(path, { ...wanted, metadata: { ...metadata, resourceVersion } });
          return 'created';
        } catch (error) {
          if (tries === mostTries || !(isConflict(error) || isMissing(error))) throw error;
        }
      } else if (tries === mostTries) {
        throw new KubernetesError(409, `${kind} ${metadata.name} comes and goes.`);
      }
    }
  };
}

function wantedObject(
  stored: StoredObject,
  namespace: string,
  labels?: Record<string, string>,
): StoredObject {
  const { metadata, ...object } = heldBack(stored);
  return {
    ...object,
    metadata: { ...metadata, namespace, ...(labels && { labels: { ...metadata.labels, ...labels } }) },
  };
}

const carries = ({ metadata }: StoredObject, labels: Record<string, string>): boolean =>
  Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);

const somebodyElses = ({ kind, metadata: { name, namespace } }: StoredObject): KubernetesError =>
  new KubernetesError(422, `${kind} ${namespace}/${name} is there already, and no drill made it.`);

/**
 * Why an object will never be taken as it is; undefined when another attempt may do. What the API server says of a
 * Secret may quote it.
 */
export function lastingReason(error: unknown, kind: BackupKind): string | undefined {
  if (error instanceof z.ZodError) return 'it has not the form that Argo CD gives it.';
  if (!(error instanceof KubernetesError)) return undefined;
  const { status, fact } = error;
  if (status < 400 || status >= 500 || [401, 408, 409, 429].includes(status)) return undefined;
  return kind === 'Secret' ? `the API server answers ${status}.` : fact;
}
