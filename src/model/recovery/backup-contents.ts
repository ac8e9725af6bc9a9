import { isRecord } from '../json.ts';
import type { BackupKind } from './backup.ts';

/** As much of an object's metadata as is asked about. */
interface Metadata {
  name: string;
  namespace?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  finalizers?: string[] | undefined;
}

export type KubernetesObject = { metadata: Metadata } & Record<string, unknown>;

/** ConfigMaps that `argocd admin export` and `import` know. */
const known = new Set(['argocd-cm', 'argocd-rbac-cm', 'argocd-ssh-known-hosts-cm', 'argocd-tls-certs-cm']);
/** What they leave out. Import stops at one that is there already, as each installation of Argo CD makes them. */
const unknown = new Set([
  'argocd-cmd-params-cm',
  'argocd-gpg-keys-cm',
  'argocd-notifications-cm',
  'argocd-notifications-secret',
]);

/**
 * Whether a ConfigMap or Secret of Argo CD's namespace is a part of its state, and if so, whether `argocd admin import`
 * takes it or it has to be applied beside that.
 */
export function placeOf(
  kind: 'ConfigMap' | 'Secret',
  { name, labels, annotations }: Metadata,
): 'imported' | 'beside' | undefined {
  // Repositories, clusters and credentials are labelled.
  const imported =
    kind === 'ConfigMap'
      ? known.has(name)
      : name === 'argocd-secret' ||
        labels?.['argocd.argoproj.io/secret-type'] !== undefined ||
        annotations?.['managed-by'] === 'argocd.argoproj.io';
  if (imported) return 'imported';
  return unknown.has(name) ? 'beside' : undefined;
}

/** Requests to Argo CD: it takes them away once they are answered. */
const requests = new Set(
  ['refresh', 'refresh-timestamp', 'hydrate', 'hydrate-timestamp'].map(
    (name) => `argocd.argoproj.io/${name}`,
  ),
);

/**
 * What of an object is kept: what people and programs meant, and nothing that a cluster would say of it by itself. An
 * operation in flight would run again on restore, and a health would be claimed of what is not there; of a status only
 * the history is kept.
 *
 * @param home namespace of Argo CD, which is left out: `argocd admin import` puts in the one that it is told
 */
export function reduced(
  apiVersion: string,
  kind: BackupKind,
  { metadata, status, ...object }: KubernetesObject,
  home: string,
): object {
  const { name, namespace, labels, finalizers } = metadata;
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => !requests.has(key)),
  );
  const { operation: _, ...rest } = object;
  const history = kind === 'Application' ? historyOf(status) : [];
  return {
    ...(kind === 'Application' ? rest : object),
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== home && { namespace }),
      ...(labels && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(finalizers?.length && { finalizers }),
    },
    ...(history.length > 0 && { status: { history } }),
  };
}

function historyOf(status: unknown): unknown[] {
  const history = isRecord(status) ? status['history'] : undefined;
  return Array.isArray(history) ? history : [];
}

/**
 * The revisions that an Application runs, one a source: of its last sync, else those that it was found to be in sync
 * with. One that is out of sync and was never synced runs nothing, whatever it is compared with.
 */
export function revisionsOf({ status }: KubernetesObject): string[] {
  const sync = isRecord(status) ? status['sync'] : undefined;
  const inSync = isRecord(sync) && sync['status'] === 'Synced' ? sync : undefined;
  const deployed = historyOf(status).at(-1) ?? inSync;
  if (!isRecord(deployed)) return [];
  const { revision, revisions } = deployed;
  const all: unknown[] = Array.isArray(revisions) ? revisions : [revision];
  return all.filter((one) => typeof one === 'string' && one !== '') as string[];
}
