import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { z } from 'zod';
import { createRecreationActivities } from '../../src/activities/recreation/index.ts';
import type { Config } from '../../src/config/schema.ts';
import { heldBack, type Automatic } from '../../src/model/recovery/automation.ts';
import { backupKey, indexKey, noCounts, type BackupIndex } from '../../src/model/recovery/backup.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { objectKeys } from '../../src/model/object-keys.ts';
import type { Recreation, Target } from '../../src/model/recovery/recreation.ts';
import { createKubernetes } from '../../src/systems/kubernetes/api-client.ts';
import { seal } from '../../src/systems/backups/seal.ts';
import type { BackupStore } from '../../src/systems/backups/index.ts';
import type { ObjectStore } from '../../src/systems/objects/index.ts';
import { makeGiteaRepository, type GiteaRepository } from './gitea.ts';
import { kubectl } from './kubectl.ts';

/** An Application that a lost cluster had, and that a restore has put back. */
export interface Lost {
  name: string;
  wave?: number;
  /** Its manifests, by file. */
  files: Record<string, string>;
  /** Folders of its own, each a source. */
  sources?: string[];
  /** The root that applied it. */
  root?: string;
  syncPolicy?: object;
  /** Another repository than the bed's. */
  url?: string;
  /** Nobody had ever synced it. */
  neverRan?: boolean;
  namespace?: string;
}

/** A restored Argo CD, as far as one namespace's worth of Applications goes; nobody else's is ever touched. */
export interface RecreationBed {
  config: Config;
  /** Where its Applications deploy. */
  namespace: string;
  gitea: GiteaRepository;
  /** What its Applications ran when the backup was made. */
  revision: string;
  target: Target;
  key: string;
  index: BackupIndex;
  startedAt: string;
  /** So far it went well. */
  soFar: Recreation;
  /** The object store. */
  objects: Map<string, string>;
  /** The backups' store. */
  backups: Map<string, Buffer>;
  activities: ReturnType<typeof createRecreationActivities>;
  /** @param workflowId whose activity it is; by default one that is open */
  environment(workflowId?: string): MockActivityEnvironment;
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Name of one of its Applications in the cluster. */
  named(name: string): string;
  application(name: string): Promise<LiveApplication>;
  kubectl(args: string[], input?: object): Promise<string>;
  remember(environment: string, service: string, revision: string): void;
  remove(): Promise<void>;
}

interface LiveApplication {
  metadata: { labels?: Record<string, string> };
  spec: { syncPolicy?: { automated?: object; retry?: object } };
  operation?: object;
  status: {
    sync?: { status: string; revision?: string };
    health?: { status: string };
    history?: { revision: string }[];
    operationState?: { phase: string; message?: string; syncResult?: { revision?: string } };
  };
}

export const newBedId = (): string => `r${randomBytes(3).toString('hex')}`;

/** @param id namespace, and what the names of its Applications begin with */
export async function makeRecreationBed(
  id: string,
  lost: (urlOfRepository: string) => Lost[],
  configOf: (gitea: GiteaRepository) => Config,
): Promise<RecreationBed> {
  const gitea = await makeGiteaRepository({});
  const url = `${gitea.url}/${gitea.owner}/${gitea.name}.git`;
  const applications = lost(url);
  const named = (name: string): string => `${id}-${name}`;
  const revision = await commit(
    gitea,
    applications.flatMap(({ name, files }) =>
      Object.entries(files).map(([file, content]) => [`apps/${name}/${file}`, content] as const),
    ),
  );
  const config = configOf(gitea);

  await kubectl(['create', 'namespace', id]);
  const startedAt = new Date().toISOString();
  const objects = applications.map((one) => objectOf(one, { id, url, revision }));
  await kubectl(['create', '-n', 'argocd', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'List',
    items: objects.map(heldBack),
  });

  const directory = await mkdtemp(join(tmpdir(), 'recreation-test-'));
  const identity = await generateX25519Identity();
  const backups = new Map<string, Buffer>();
  const index = await backUp(objects, applications, { id, revision, identity, directory, backups });
  const connection = await Connection.connect({
    address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
  });
  const temporal = new Client({ connection });
  // Nobody works on its queue: it only stands for a run that is open.
  const { firstExecutionRunId: recreation } = await temporal.workflow.start('nothing', {
    taskQueue: id,
    workflowId: id,
  });
  const store = new Map<string, string>();
  const activities = createRecreationActivities({
    config,
    temporal,
    objects: storeOf(store),
    recovery: { store: backupStoreOf(backups), identities: () => [identity] },
    scratch: directory,
    clusterOf: () => createKubernetes(),
  });
  const environment = (workflowId = id) =>
    new MockActivityEnvironment(
      { workflowExecution: { workflowId, runId: recreation } },
      { logger: new DefaultLogger('ERROR') },
    );

  return {
    config,
    namespace: id,
    gitea,
    revision,
    target: { cluster: id, recreation, drill: false },
    key: index.key,
    index,
    startedAt,
    soFar: {
      cluster: id,
      drill: false,
      state: 'running',
      startedAt,
      plan: {
        backup: { key: index.key, sha256: index.stored.sha256, createdAt: index.createdAt },
        waves: [],
        roots: 0,
      },
      restored: { kinds: {}, failures: [] },
      phases: [{ name: 'restore', state: 'succeeded', startedAt, finishedAt: startedAt, detail: 'all' }],
    },
    objects: store,
    backups,
    activities,
    environment,
    run: (work) => environment().run(work),
    named,
    async application(name) {
      return JSON.parse(await kubectl(['get', 'application', '-n', 'argocd', named(name), '-o', 'json']));
    },
    kubectl,
    remember(environment, service, revision) {
      const change = { service, commit: revision };
      const current = { change, position: 1, revision, at: new Date().toISOString() };
      store.set(objectKeys.environment(environment, service), JSON.stringify({ current }));
    },
    async remove() {
      await temporal.workflow.getHandle(id).terminate();
      await connection.close();
      await kubectl(['delete', 'applications', '-n', 'argocd', '-l', `bed=${id}`, '--wait=false']);
      await kubectl([
        'delete',
        'customresourcedefinitions',
        '--ignore-not-found',
        `unknowns.${id}.example.com`,
      ]);
      await kubectl(['delete', 'namespace', '-l', `bed=${id}`, '--wait=false']);
      await kubectl(['delete', 'namespace', id, '--wait=false']);
      await gitea.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** All of them at once, however many. @returns its hash */
async function commit(gitea: GiteaRepository, files: (readonly [string, string])[]): Promise<string> {
  const answer = await gitea.api('POST', '/contents', {
    branch: 'main',
    message: 'What runs',
    files: files.map(([path, content]) => ({
      operation: 'create',
      path,
      content: Buffer.from(content).toString('base64'),
    })),
  });
  return z.object({ commit: z.object({ sha: z.string() }) }).parse(answer).commit.sha;
}

function objectOf(one: Lost, { id, url, revision }: { id: string; url: string; revision: string }) {
  const { name, wave, root, sources, syncPolicy } = one;
  const repoURL = one.url ?? url;
  const source = (folder = '') => ({ repoURL, path: `apps/${name}${folder}`, targetRevision: 'main' });
  const ran = sources
    ? { revisions: sources.map(() => revision), sources: sources.map((folder) => source(`/${folder}`)) }
    : { revision, source: source() };
  const annotations = {
    ...(wave !== undefined && { 'argocd.argoproj.io/sync-wave': `${wave}` }),
    ...(root !== undefined && {
      'argocd.argoproj.io/tracking-id': `${id}-${root}:argoproj.io/Application:argocd/${id}-${name}`,
    }),
  };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: `${id}-${name}`, labels: { bed: id }, annotations },
    spec: {
      project: 'default',
      ...(sources ? { sources: sources.map((folder) => source(`/${folder}`)) } : { source: source() }),
      destination: { server: 'https://kubernetes.default.svc', namespace: one.namespace ?? id },
      ...(syncPolicy && { syncPolicy }),
    },
    ...(!one.neverRan && {
      status: {
        history: [{ id: 0, deployedAt: '2026-01-01T00:00:00Z', ...ran }],
      },
    }),
  } satisfies Automatic;
}

async function backUp(
  objects: object[],
  applications: Lost[],
  bed: { id: string; revision: string; identity: string; directory: string; backups: Map<string, Buffer> },
): Promise<BackupIndex> {
  const { id, revision, identity, directory, backups } = bed;
  const file = join(directory, 'sealed');
  const lines = Readable.from(objects.map(canonicalJson));
  const signal = new AbortController().signal;
  const recipient = await identityToRecipient(identity);
  const { plain, stored } = await seal(lines, [recipient], file, signal);
  const createdAt = new Date(Date.now() - 60_000).toISOString();
  const index: BackupIndex = {
    key: backupKey(id, createdAt, stored.sha256),
    cluster: id,
    createdAt,
    argocd: { namespace: 'argocd' },
    counts: { ...noCounts(), Application: objects.length },
    importable: objects.length,
    plain,
    stored,
    applications: applications.map(({ name, neverRan, sources = [''] }) => ({
      name: `${id}-${name}`,
      revisions: neverRan ? [] : sources.map(() => revision),
    })),
    sealingKeys: [],
    leftOut: [{ what: 'sealing keys', why: 'there are none' }],
  };
  backups.set(index.key, await readFile(file));
  backups.set(indexKey(index.key), Buffer.from(JSON.stringify(index)));
  return index;
}

/** The stores are tested elsewhere: here they only hold what is put there. */
function backupStoreOf(kept: Map<string, Buffer>): BackupStore {
  return {
    putOnce: async () => undefined,
    put: async (key, text) => void kept.set(key, Buffer.from(text)),
    read: async (key) => {
      const found = kept.get(key);
      return found && Readable.from([found]);
    },
    list: async (prefix) => [...kept.keys()].filter((key) => key.startsWith(prefix)),
    lockedUntil: async () => undefined,
  };
}

function storeOf(kept: Map<string, string>): ObjectStore {
  return {
    get: async (key) => {
      const body = kept.get(key);
      return body === undefined ? undefined : { body, etag: '' };
    },
    put: async (key, body) => Boolean(kept.set(key, body)),
    list: async (prefix) =>
      [...kept]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, body]) => ({ key, size: body.length, writtenAt: '' })),
  };
}
