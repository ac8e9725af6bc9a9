import { X509Certificate } from 'node:crypto';
import picomatch from 'picomatch';
import { z } from 'zod';
import type { BackupIndex, BackupKind } from '../../model/backup.ts';
import { canonical, placeOf, reduced, revisionsOf, type KubernetesObject } from '../../model/backup-form.ts';
import { parseExactly } from './exact-json.ts';
import { KubernetesError, type Kubernetes } from './kubernetes.ts';
import { versionInTag } from './manifest.ts';

/** One thing that was found: an object as it is stored, or what is not stored. */
export type Exported =
  | {
      kind: BackupKind;
      /** JSON, in one form only. */
      line: string;
      /** Not for `argocd admin import`. These come last. */
      beside?: true;
      application?: BackupIndex['applications'][number];
      sealingKey?: BackupIndex['sealingKeys'][number];
    }
  | { leftOut: BackupIndex['leftOut'][number] };

/** Small enough that a page of large Applications is a few megabytes. */
const pageSize = 250;

const sealingKeyLabel = 'sealedsecrets.bitnami.com/sealed-secrets-key';

/**
 * All that Argo CD cannot find in Git, in an order that is the same for the same state. Read in pages, so that a cluster
 * of ten thousand Applications takes no more memory than one of ten.
 *
 * @param namespace of Argo CD
 * @param sealingKeys namespace of the sealed-secrets controller
 * @throws KubernetesError
 */
export async function* exportArgoCd(
  kubernetes: Kubernetes,
  { namespace, sealingKeys }: { namespace: string; sealingKeys: string },
): AsyncGenerator<Exported> {
  const keep = (apiVersion: string, kind: BackupKind, object: KubernetesObject) => ({
    kind,
    line: canonical(reduced(apiVersion, kind, object, namespace)),
  });

  const beside: Exported[] = [];
  for (const [kind, resource] of [
    ['ConfigMap', 'configmaps'],
    ['Secret', 'secrets'],
  ] as const) {
    for await (const object of listAll(kubernetes, `/api/v1/namespaces/${namespace}/${resource}`)) {
      const place = placeOf(kind, object.metadata);
      if (place === 'imported') yield keep('v1', kind, object);
      else if (place === 'beside') beside.push({ ...keep('v1', kind, object), beside: true });
      else if (!isSealingKey(object) || namespace !== sealingKeys) {
        yield { leftOut: { what: `${kind} ${object.metadata.name}`, why: "no part of Argo CD's state" } };
      }
    }
  }

  const argoproj = 'argoproj.io/v1alpha1';
  for await (const object of listAll(kubernetes, `${api}/namespaces/${namespace}/appprojects`)) {
    yield keep(argoproj, 'AppProject', object);
  }

  for (const kind of ['Application', 'ApplicationSet'] as const) {
    for await (const object of listOwned(kubernetes, namespace, kind)) {
      const at = object.metadata.namespace ?? namespace;
      const name = at === namespace ? object.metadata.name : `${at}/${object.metadata.name}`;
      if (object.metadata.deletionTimestamp !== undefined) {
        yield { leftOut: { what: `${kind} ${name}`, why: 'it is being deleted' } };
        continue;
      }
      if (kind === 'Application' && object['operation'] !== undefined) {
        const why = 'it was under way, and would run again on restore';
        yield { leftOut: { what: `operation of Application ${name}`, why } };
      }
      yield {
        ...keep(argoproj, kind, object),
        ...(kind === 'Application' && {
          application: {
            name: object.metadata.name,
            ...(at !== namespace && { namespace: at }),
            revisions: revisionsOf(object),
          },
        }),
      };
    }
  }

  yield* beside;
  let sealed = false;
  for await (const { name, fingerprint, object } of listSealingKeys(kubernetes, sealingKeys)) {
    sealed = true;
    yield { ...keep('v1', 'Secret', object), beside: true, sealingKey: { name, fingerprint } };
  }
  if (!sealed) {
    yield { leftOut: { what: `sealing keys in ${sealingKeys}`, why: 'there are none' } };
  }
}

const api = '/apis/argoproj.io/v1alpha1';
const owned = {
  Application: ['applications', 'application.namespaces'],
  ApplicationSet: ['applicationsets', 'applicationsetcontroller.namespaces'],
} as const;

/** Those that Argo CD cares for: in its own namespace, and in others that its settings name. */
export async function* listOwned(
  kubernetes: Kubernetes,
  namespace: string,
  kind: keyof typeof owned,
): AsyncGenerator<z.infer<typeof objectSchema>> {
  const [resource, key] = owned[kind];
  const others = (await otherNamespaces(kubernetes, namespace))(key);
  const path = others ? `${api}/${resource}` : `${api}/namespaces/${namespace}/${resource}`;
  for await (const object of listAll(kubernetes, path)) {
    const at = object.metadata.namespace ?? namespace;
    if (at === namespace || others?.(at)) yield object;
  }
}

const workloadsSchema = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
      }),
    }),
  ),
});

/** The version of Argo CD, as the tag of its controller's image has it; undefined where it has none. */
export async function argoCdVersion(kubernetes: Kubernetes, namespace: string): Promise<string | undefined> {
  const labelSelector = 'app.kubernetes.io/name=argocd-application-controller';
  for (const resource of ['statefulsets', 'deployments']) {
    const path = `/apis/apps/v1/namespaces/${namespace}/${resource}`;
    const { items } = workloadsSchema.parse(await kubernetes.get(path, { labelSelector }));
    const images = items.flatMap(({ spec }) => spec.template.spec.containers.map(({ image }) => image));
    const tag = images.map(versionInTag).find(Boolean);
    if (tag !== undefined) return tag;
  }
  return undefined;
}

const labels = z.record(z.string(), z.string()).optional();
const objectSchema = z.looseObject({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    labels,
    annotations: labels,
    finalizers: z.array(z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  }),
});
const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(objectSchema),
});

/** What the path lists, in its order; nothing where this cluster has no such kind. */
export async function* listAll(
  kubernetes: Kubernetes,
  path: string,
  labelSelector?: string,
): AsyncGenerator<z.infer<typeof objectSchema>> {
  let more: string | undefined;
  do {
    const query = {
      limit: pageSize,
      ...(labelSelector !== undefined && { labelSelector }),
      ...(more && { continue: more }),
    };
    const text = await kubernetes.text(path, query).catch((error: unknown) => {
      // In the middle of a list it is a fault: what was read so far is not all.
      if (more === undefined && error instanceof KubernetesError && error.status === 404) return undefined;
      throw error;
    });
    if (text === undefined) return;
    const page = pageSchema.parse(parseExactly(text));
    yield* page.items;
    more = page.metadata.continue;
  } while (more);
}

const isSealingKey = ({ metadata }: KubernetesObject): boolean =>
  metadata.labels?.[sealingKeyLabel] !== undefined;

/** A key of the sealed-secrets controller. */
export interface SealingKey {
  name: string;
  /** Of the certificate, by which people seal; the key itself is never named. */
  fingerprint: string;
  /** Since when it is valid: an object that was restored is younger than its key. */
  madeAt?: Date;
  object: KubernetesObject;
}

export async function* listSealingKeys(
  kubernetes: Kubernetes,
  namespace: string,
): AsyncGenerator<SealingKey> {
  const secrets = listAll(kubernetes, `/api/v1/namespaces/${namespace}/secrets`, sealingKeyLabel);
  for await (const object of secrets) {
    const { name } = object.metadata;
    const certificate = certificateOf(object);
    yield certificate
      ? { name, fingerprint: certificate.fingerprint256, madeAt: new Date(certificate.validFrom), object }
      : { name, fingerprint: 'unreadable', object };
  }
}

function certificateOf({ data }: KubernetesObject): X509Certificate | undefined {
  const { 'tls.crt': certificate = '' } = z.object({ 'tls.crt': z.string().optional() }).parse(data ?? {});
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64'));
  } catch {
    return undefined;
  }
}

const parametersSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/**
 * Which other namespaces Argo CD takes Applications from, by its own setting: names, patterns, and regular expressions
 * between slashes.
 */
async function otherNamespaces(kubernetes: Kubernetes, namespace: string) {
  const raw = await kubernetes.get(`/api/v1/namespaces/${namespace}/configmaps/argocd-cmd-params-cm`);
  const { data = {} } = raw === undefined ? {} : parametersSchema.parse(raw);
  return (key: string): ((name: string) => boolean) | undefined => {
    const patterns = (data[key] ?? '')
      .split(',')
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== '');
    if (patterns.length === 0) return undefined;
    const matches = patterns.map((pattern) =>
      /^\/.+\/$/.test(pattern)
        ? (name: string) => new RegExp(pattern.slice(1, -1)).test(name)
        : picomatch(pattern),
    );
    return (name) => matches.some((match) => match(name));
  };
}
