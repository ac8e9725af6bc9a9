import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { createRecreationActivities } from '../../src/activities/recreation/index.ts';
import type { RecreationActivities } from '../../src/activities/contract.ts';
import type { Config } from '../../src/config/schema.ts';
import {
  backupKey,
  indexKey,
  noCounts,
  verificationKey,
  type BackupIndex,
  type BackupKind,
  type Verification,
} from '../../src/model/recovery/backup.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { drillId, recreationId } from '../../src/model/temporal/workflow-ids.ts';
import type { Target } from '../../src/model/recovery/recreation.ts';
import { createKubernetes } from '../../src/systems/kubernetes/api-client.ts';
import type { Kubernetes } from '../../src/systems/kubernetes/index.ts';
import { seal } from '../../src/systems/backups/seal.ts';
import type { BackupStore } from '../../src/systems/backups/index.ts';
import { configuration } from './configuration.ts';

/** As it was published. */
export const manifest = join(import.meta.dirname, '../../.stack/argocd/core-install.yaml');

/** As a configuration pins it. */
export const pinned = () => ({
  manifest,
  sha256: createHash('sha256').update(readFileSync(manifest)).digest('hex'),
});

/** What another process needs to work on the same site. */
export interface SitePlan {
  id: string;
  folder: string;
  identity: string;
  /** Kubeconfig files. */
  lost: string;
  scratch: string;
  argocd?: object;
}

/** A platform whose cluster is to be built anew from backups that lie in a folder. */
export interface Site {
  plan: SitePlan;
  config: Config;
  activities: RecreationActivities;
  /** Stores a good backup of these objects; @param change is made to its index before that is written */
  backUp(objects: StoredObject[], change?: Partial<BackupIndex>): Promise<BackupIndex>;
  /** Where a backup's bytes lie. */
  fileOf(key: string): string;
  /** A recreation that is open. */
  open(how?: { drill?: boolean }): Promise<OpenRecreation>;
  remove(): Promise<void>;
}

export interface OpenRecreation {
  target: Target;
  /** @throws what the activity throws */
  run<I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O>;
  execution: { workflowId: string; runId: string };
  terminate(): Promise<void>;
}

export interface StoredObject {
  apiVersion: string;
  kind: BackupKind;
  metadata: { name: string; namespace?: string } & Record<string, unknown>;
  [key: string]: unknown;
}

export async function makeSite(clusters: { lost: string; scratch?: string; argocd?: object }): Promise<Site> {
  const { lost, scratch = lost, argocd } = clusters;
  const id = `site-${randomBytes(3).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  const identity = await generateX25519Identity();
  return openSite({ id, folder, identity, lost, scratch, ...(argocd && { argocd }) });
}

export async function openSite(plan: SitePlan): Promise<Site> {
  const { id, folder, identity, lost, scratch, argocd } = plan;
  const recipient = await identityToRecipient(identity);
  const config = configuration({
    platform: id,
    argocd: { namespace: id, install: pinned(), ...argocd },
    backup: {
      ...{ cluster: id, bucket: 'unused', recipients: [recipient], sealingKeys: `${id}-keys` },
      recovery: { identity: 'env:UNUSED' },
    },
  });
  const connection = await Connection.connect({
    address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
  });
  const temporal = new Client({ connection });
  const clusters: Record<string, Kubernetes> = {
    lost: createKubernetes(lost),
    scratch: createKubernetes(scratch),
  };
  const activities = createRecreationActivities({
    config,
    temporal,
    objects: { get: async () => undefined, put: async () => true, list: async () => [] },
    recovery: { store: folderStore(folder), identities: () => [identity] },
    scratch: join(folder, 'scratch'),
    clusterOf: ({ drill }) => clusters[drill ? 'scratch' : 'lost'] as Kubernetes,
  });
  const opened: { terminate(): Promise<void> }[] = [];

  return {
    plan,
    config,
    activities,
    fileOf: (key) => fileIn(folder, key),

    async backUp(objects, change = {}) {
      const file = join(folder, `${randomBytes(4).toString('hex')}.sealed`);
      const lines = Readable.from(objects.map(canonicalJson));
      const { plain, stored } = await seal(lines, [recipient], file, new AbortController().signal);
      const counts = noCounts();
      for (const { kind } of objects) counts[kind] += 1;
      const createdAt = change.createdAt ?? new Date(Date.now() - 60_000).toISOString();
      const index: BackupIndex = {
        ...{ key: backupKey(id, createdAt, stored.sha256), cluster: id, createdAt },
        argocd: { namespace: id, version: 'v3.6.1' },
        ...{ counts, importable: importableOf(objects) },
        ...{ plain, stored, applications: [], sealingKeys: [], leftOut: [] },
        ...change,
      };
      await rename(file, fileIn(folder, index.key));
      writeFileSync(fileIn(folder, indexKey(index.key)), JSON.stringify(index));
      const verification: Verification = { key: index.key, state: 'good', verifiedAt: createdAt };
      writeFileSync(fileIn(folder, verificationKey(index.key)), JSON.stringify(verification));
      return index;
    },

    async open({ drill = false } = {}) {
      const workflowId = drill ? drillId(id, id, randomBytes(3).toString('hex')) : recreationId(id, id);
      // Nobody works on its queue: it only stands for a run that is open.
      const handle = await temporal.workflow.start('nothing', { taskQueue: id, workflowId });
      const runId = handle.firstExecutionRunId;
      const execution = { workflowId, runId };
      let over = false;
      const recreation: OpenRecreation = {
        target: { cluster: id, recreation: runId, drill },
        execution,
        run: (activity, input) => environmentOf(execution).run(activity, input),
        async terminate() {
          if (!over) await handle.terminate();
          over = true;
        },
      };
      opened.push(recreation);
      return recreation;
    },

    async remove() {
      for (const recreation of opened) await recreation.terminate();
      await connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** In which an activity runs as one of this workflow. */
export const environmentOf = (workflowExecution: OpenRecreation['execution']): MockActivityEnvironment =>
  new MockActivityEnvironment({ workflowExecution }, { logger: new DefaultLogger('ERROR') });

const fileIn = (folder: string, key: string): string => join(folder, key.replaceAll('/', '_'));

/** The stores are tested elsewhere: here they only hold what is put there. */
function folderStore(folder: string): BackupStore {
  return {
    putOnce: async () => undefined,
    put: async (key, text) => writeFileSync(fileIn(folder, key), text),
    read: async (key) =>
      existsSync(fileIn(folder, key)) ? createReadStream(fileIn(folder, key)) : undefined,
    list: async (prefix) => {
      const names = (await readdir(folder)).map((name) => name.replaceAll('_', '/'));
      return names.filter((name) => name.startsWith(prefix)).toSorted();
    },
    lockedUntil: async () => new Date(Date.now() + 86_400_000).toISOString(),
  };
}

const argoProj = 'argoproj.io/v1alpha1';

/** @param more of its spec, and of its metadata */
export const application = (name: string, more: { spec?: object; metadata?: object } = {}): StoredObject => ({
  apiVersion: argoProj,
  kind: 'Application',
  metadata: { name, finalizers: ['resources-finalizer.argocd.argoproj.io'], ...more.metadata },
  spec: {
    project: 'default',
    source: { repoURL: 'https://forge.example/team/platform.git', path: name, targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: name },
    syncPolicy: { automated: { prune: true } },
    ...more.spec,
  },
  status: {
    history: [
      {
        id: 0,
        revision: 'a'.repeat(40),
        deployedAt: '2026-01-01T00:00:00Z',
        source: { repoURL: 'https://forge.example/team/platform.git', path: name },
      },
    ],
  },
});

const secret = (name: string, more: object = {}): StoredObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, ...more },
  type: 'Opaque',
  data: { password: 'aHVudGVyMg==' },
});

const applicationSet = (name: string): StoredObject => ({
  apiVersion: argoProj,
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    generators: [{ list: { elements: [{ name: 'one' }] } }],
    template: { metadata: { name: '{{name}}' }, spec: application('one')['spec'] },
    strategy: { type: 'RollingSync', rollingSync: { steps: [] } },
  },
});

/** Some of everything that a backup holds, in its order: what import does not know, and sealing keys, come last. */
export function someState(site: Site, applications = ['orders', 'payments']): StoredObject[] {
  const { sealingKeys } = site.config.backup ?? { sealingKeys: '' };
  const sealing = { 'sealedsecrets.bitnami.com/sealed-secrets-key': 'active' };
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'argocd-cm' },
      data: { url: 'https://argocd.example' },
    },
    secret('argocd-secret'),
    secret('repository', { labels: { 'argocd.argoproj.io/secret-type': 'repository' } }),
    {
      apiVersion: argoProj,
      kind: 'AppProject',
      metadata: { name: 'default' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] },
    },
    ...applications.map((name) => application(name)),
    application('elsewhere', { metadata: { namespace: `${site.plan.id}-team` } }),
    application('exact', {
      spec: {
        source: {
          repoURL: 'https://forge.example/a/b.git',
          path: 'x',
          helm: { valuesObject: { ratio: 0.5 } },
        },
      },
    }),
    applicationSet('previews'),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'argocd-cmd-params-cm' },
      data: { 'application.namespaces': `${site.plan.id}-team` },
    },
    secret('sealing-key', { namespace: sealingKeys, labels: sealing }),
  ];
}

const importedConfigMaps = new Set(['argocd-cm', 'argocd-rbac-cm']);

/** So many of its objects `argocd admin import` knows: the others come after them. */
const importableOf = (objects: StoredObject[]): number =>
  objects.filter(
    ({ kind, metadata }) =>
      !(kind === 'ConfigMap' && !importedConfigMaps.has(metadata.name)) &&
      !(kind === 'Secret' && metadata.namespace !== undefined),
  ).length;
