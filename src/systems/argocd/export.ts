import type { BackupIndex, BackupKind } from '../../model/recovery/backup.ts';
import { canonicalJson } from '../../model/json.ts';
import {
  placeOf,
  reduced,
  revisionsOf,
  type KubernetesObject,
} from '../../model/recovery/backup-contents.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { listAll } from '../kubernetes/list.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';
import { argoProjPath } from './api-paths.ts';
import { listOwned } from './list-owned.ts';
import { isSealingKey, listSealingKeys } from '../sealed-secrets/index.ts';

/** An object as it is stored. */
interface Kept {
  kind: BackupKind;
  /** JSON, in one form only. */
  line: string;
  /** Not for `argocd admin import`. These come last. */
  beside?: true;
  application?: BackupIndex['applications'][number];
  sealingKey?: BackupIndex['sealingKeys'][number];
}

/** One thing that was found: an object as it is stored, or what is not stored. */
export type Exported = Kept | { leftOut: BackupIndex['leftOut'][number] };

interface Source {
  kubernetes: Kubernetes;
  /** Of Argo CD. */
  namespace: string;
  /** Namespace of the sealed-secrets controller. */
  sealingKeys: string;
}

/**
 * All that Argo CD cannot find in Git, in an order that is the same for the same state. Read in pages, so that a cluster
 * of ten thousand Applications takes no more memory than one of ten.
 *
 * @throws KubernetesError
 */
export async function* exportArgoCd(
  kubernetes: Kubernetes,
  places: Omit<Source, 'kubernetes'>,
): AsyncGenerator<Exported> {
  const source = { kubernetes, ...places };
  const beside: Exported[] = [];
  for await (const one of settings(source)) {
    if ('beside' in one) beside.push(one);
    else yield one;
  }
  yield* projects(source);
  yield* owned(source, 'Application');
  yield* owned(source, 'ApplicationSet');
  yield* beside;
  yield* sealingKeysOf(source);
}

async function* settings(source: Source): AsyncGenerator<Exported> {
  const { kubernetes, namespace, sealingKeys } = source;
  for (const [kind, resource] of [
    ['ConfigMap', 'configmaps'],
    ['Secret', 'secrets'],
  ] as const) {
    for await (const object of listAll(kubernetes, `${namespacePath(namespace)}/${resource}`)) {
      const place = placeOf(kind, object.metadata);
      if (place === 'imported') yield kept(source, kind, object);
      else if (place === 'beside') yield { ...kept(source, kind, object), beside: true };
      else if (!isSealingKey(object) || namespace !== sealingKeys) {
        yield leftOut(`${kind} ${object.metadata.name}`, "no part of Argo CD's state");
      }
    }
  }
}

async function* projects(source: Source): AsyncGenerator<Exported> {
  const { kubernetes, namespace } = source;
  const path = argoProjPath(namespace, 'appprojects');
  for await (const object of listAll(kubernetes, path)) yield kept(source, 'AppProject', object);
}

async function* owned(source: Source, kind: 'Application' | 'ApplicationSet'): AsyncGenerator<Exported> {
  for await (const object of listOwned(source.kubernetes, source.namespace, kind)) {
    const { name, namespace: at, deletionTimestamp } = object.metadata;
    const isElsewhere = at !== undefined && at !== source.namespace;
    const what = `${kind} ${isElsewhere ? `${at}/${name}` : name}`;
    if (deletionTimestamp !== undefined) {
      yield leftOut(what, 'it is being deleted');
      continue;
    }
    if (kind === 'ApplicationSet') {
      yield kept(source, kind, object);
      continue;
    }
    if (object['operation'] !== undefined) {
      yield leftOut(`operation of ${what}`, 'it was under way, and would run again on restore');
    }
    yield { ...kept(source, kind, object), application: applicationOf(source, object) };
  }
}

function applicationOf({ namespace }: Source, object: KubernetesObject): NonNullable<Kept['application']> {
  const { name, namespace: at } = object.metadata;
  const revisions = revisionsOf(object);
  return at === undefined || at === namespace ? { name, revisions } : { name, namespace: at, revisions };
}

async function* sealingKeysOf(source: Source): AsyncGenerator<Exported> {
  let any = false;
  for await (const { name, fingerprint, object } of listSealingKeys(source.kubernetes, source.sealingKeys)) {
    any = true;
    yield { ...kept(source, 'Secret', object), beside: true, sealingKey: { name, fingerprint } };
  }
  if (!any) yield leftOut(`sealing keys in ${source.sealingKeys}`, 'there are none');
}

function kept({ namespace }: Source, kind: BackupKind, object: KubernetesObject): Kept {
  const apiVersion = kind === 'ConfigMap' || kind === 'Secret' ? 'v1' : 'argoproj.io/v1alpha1';
  return { kind, line: canonicalJson(reduced(apiVersion, kind, object, namespace)) };
}

const leftOut = (what: string, why: string): Exported => ({ leftOut: { what, why } });
