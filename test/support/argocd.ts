import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { createWaitActivities } from '../../src/activities/sync/await-healthy.ts';
import { createRenderActivities } from '../../src/activities/promotion/render.ts';
import { createSyncActivities } from '../../src/activities/sync/start-sync.ts';
import { notWhileRecreated } from '../../src/activities/sync/while-recreated.ts';
import type {
  Asker,
  RenderActivities,
  SyncActivities,
  WaitActivities,
} from '../../src/activities/contract.ts';
import { applicationName, namespaceOf } from '../../src/config/environments.ts';
import { releasePath } from '../../src/config/paths.ts';
import { configSchema, type Config } from '../../src/config/schema.ts';
import type { Image, Release } from '../../src/model/delivery/change.ts';
import { releaseKustomization, releaseMessage } from '../../src/model/promotion/release.ts';
import { createArgoCd } from '../../src/systems/argocd/api-client.ts';
import type { ArgoCd } from '../../src/systems/argocd/index.ts';
import { createRepository } from '../../src/systems/git/repository.ts';
import type { Repository } from '../../src/systems/git/index.ts';
import type { ObjectStore } from '../../src/systems/objects/index.ts';
import { createRecreations } from '../../src/systems/temporal/recreations.ts';
import { makeGiteaRepository, type GiteaRepository } from './gitea.ts';
import { kubectl } from './kubectl.ts';

/** A release in the repository. */
export interface Written {
  release: Release;
  revision: string;
  /** Git tree of `release/`. */
  tree: string;
}

/** A platform of its own on the stack: a repository, namespaces, Applications. */
export interface Bed {
  config: Config;
  /** Of an environment. */
  namespace(environment: string): string;
  argocd: ArgoCd;
  repository: Repository;
  gitea: GiteaRepository;
  objects: Map<string, string>;
  asker: Asker;
  wait: WaitActivities['awaitHealthy'];
  sync: SyncActivities['startSync'];
  render: RenderActivities['renderRelease'];
  /** Runs an activity so that a test sees its heartbeats and can cancel it. */
  /** @param scheduledTimestampMs since when Temporal has it tried */
  environment(scheduledTimestampMs?: number, heartbeatDetails?: object): MockActivityEnvironment;
  activities: WaitActivities & SyncActivities & RenderActivities;
  /** Writes `base/` and the overlay of a service. */
  service(name: string, environment: string, base: Record<string, string>, overlay?: string): Promise<void>;
  application(name: string, environment: string, spec?: object): Promise<string>;
  /** Writes files to the protected branch, by hand. */
  commit(files: Record<string, string>, operation?: 'create' | 'update'): Promise<void>;
  promote(name: string, environment: string, image?: Image): Promise<Written>;
  kubectl(args: string[], input?: object): Promise<string>;
  remove(): Promise<void>;
}

const manifests = 'deploy/{service}';

/** @param names of services without an image; folders of `services/` are services with one */
export async function makeBed(names: string[]): Promise<Bed> {
  const id = randomBytes(3).toString('hex');
  const platform = `argocd-test-${id}`;
  const gitea = await makeGiteaRepository();
  const url = `${gitea.url}/${gitea.owner}/${gitea.name}.git`;
  const config = configSchema.parse({
    platform,
    repository: { url, token: 'env:UNUSED' },
    forge: { kind: 'gitea', url: gitea.url, token: 'env:UNUSED' },
    registry: { image: 'localhost:5000/argocd-test/{service}', insecure: true },
    objects: { bucket: 'unused' },
    manifests,
    services: {
      discover: ['services/*'],
      explicit: Object.fromEntries(names.map((name) => [name, { path: `source/${name}`, image: false }])),
    },
    environments: [
      { name: 'dev', application: `{service}-{environment}-${id}`, entersBy: 'push' },
      { name: 'staging', application: `{service}-{environment}-${id}`, bake: '20s' },
      { name: 'production', application: `{service}-{environment}-${id}`, sync: 'manual' },
    ],
  });
  const directory = await mkdtemp(join(tmpdir(), 'argocd-test-'));
  const repository = createRepository({
    url,
    branch: 'main',
    token: () => gitea.token('bot'),
    directory: join(directory, 'clone'),
    committer: { name: 'gitops', email: 'gitops@example.com' },
  });
  const argocd = createArgoCd({ namespace: 'argocd' });
  const connection = await Connection.connect({
    address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
  });
  const temporal = new Client({ connection });
  // Nobody works on its queue: it only stands for a run that is open.
  const asking = await temporal.workflow.start('nothing', { taskQueue: platform, workflowId: platform });
  const asker = { workflowId: asking.workflowId, runId: asking.firstExecutionRunId };

  const objects = new Map<string, string>();
  const store: ObjectStore = {
    get: async (key) => {
      const body = objects.get(key);
      return body === undefined ? undefined : { body, etag: '' };
    },
    put: async (key, body) => Boolean(objects.set(key, body)),
    list: async () => [],
  };
  const recreations = createRecreations(temporal, { platform: config.platform, cluster: 'live' });
  const guarded = notWhileRecreated(argocd, recreations);
  const sourceOf = () => repository;
  const systems = { config, repository, sourceOf, argocd: guarded, objects: store, temporal, recreations };
  const activities = {
    ...createWaitActivities(systems, directory),
    ...createSyncActivities(systems, directory),
    ...createRenderActivities(systems, directory),
  };
  const environment: Bed['environment'] = (scheduledTimestampMs = Date.now(), heartbeatDetails) =>
    new MockActivityEnvironment(
      { workflowExecution: asker, scheduledTimestampMs, heartbeatDetails },
      { logger: new DefaultLogger('ERROR') },
    );

  const namespace = (environment: string): string => namespaceOf(config, environment);
  const namespaces = config.environments.map(({ name }) => namespace(name));
  for (const name of namespaces) await kubectl(['create', 'namespace', name]);
  const made: string[] = [];
  /** Writes files to the protected branch by hand: again when a release was pushed meanwhile. */
  async function commit(
    files: Record<string, string>,
    operation: 'create' | 'update' = 'create',
  ): Promise<void> {
    const shaOf = async (path: string) =>
      z.object({ sha: z.string() }).parse(await gitea.api('GET', `/contents/${path}`)).sha;
    for (let tries = 1; ; tries += 1) {
      try {
        const changes = Object.entries(files).map(async ([path, content]) => ({
          operation,
          path,
          content: Buffer.from(content).toString('base64'),
          ...(operation === 'update' && { sha: await shaOf(path) }),
        }));
        await gitea.api('POST', '/contents', {
          branch: 'main',
          message: 'By hand',
          files: await Promise.all(changes),
        });
        return;
      } catch (error) {
        if (tries === 20) throw error;
        await delay(200);
      }
    }
  }

  return {
    config,
    namespace,
    argocd,
    repository,
    gitea,
    objects,
    asker,
    environment,
    activities,
    kubectl,
    commit,
    wait: (input) => environment().run(activities.awaitHealthy, input),
    sync: (input) => environment().run(activities.startSync, input),
    render: (input) => environment().run(activities.renderRelease, input),

    async service(
      name,
      environment,
      base,
      overlay = `namespace: ${namespace(environment)}\nresources: [release]\n`,
    ) {
      const folder = manifests.replace('{service}', name);
      const kustomization = `resources: [${Object.keys(base).join(', ')}]\n`;
      const files = Object.entries({ ...base, 'kustomization.yaml': kustomization });
      await commit({
        ...Object.fromEntries(files.map(([file, content]) => [`${folder}/base/${file}`, content])),
        [`${folder}/overlays/${environment}/kustomization.yaml`]: overlay,
      });
    },

    async application(service, environment, spec = {}) {
      const name = applicationName(config, service, environment);
      made.push(name);
      await kubectl(['apply', '-f', '-'], {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name, namespace: 'argocd' },
        spec: {
          project: 'default',
          source: {
            repoURL: url,
            path: `${manifests.replace('{service}', service)}/overlays/${environment}`,
            targetRevision: 'main',
          },
          destination: { server: 'https://kubernetes.default.svc', namespace: namespace(environment) },
          ...(environment !== 'production' && { syncPolicy: { automated: { prune: true, selfHeal: true } } }),
          ...spec,
        },
      });
      return name;
    },

    async promote(service, environment, image) {
      const folder = manifests.replace('{service}', service);
      const tip = await repository.tip();
      const base = (await repository.object(tip, `${folder}/base`)) ?? '';
      const release: Release = {
        change: { service, commit: tip },
        source: {
          position: (await repository.position(tip)) ?? 0,
          subject: 'a change',
          authors: [],
          committedAt: new Date().toISOString(),
          base,
          paths: [],
        },
        ...(image && { image }),
      };
      const path = releasePath({ manifests: folder }, environment);
      const written = await repository.writeRelease({
        branch: 'main',
        path,
        base,
        kustomization: releaseKustomization(release),
        expectedTree: await repository.object(tip, path),
        message: releaseMessage(environment, release),
        stillWanted: async () => true,
      });
      if (written.state !== 'written') throw new Error(`The release was not written: ${written.state}`);
      return { release, revision: written.revision, tree: written.tree };
    },

    async remove() {
      argocd.close();
      await asking.terminate();
      await connection.close();
      if (made.length > 0)
        await kubectl([
          'delete',
          'application',
          '-n',
          'argocd',
          '--wait=false',
          '--ignore-not-found',
          ...new Set(made),
        ]);
      await kubectl(['delete', 'namespace', ...namespaces, '--wait=false']);
      await gitea.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();

export const newOperationId = randomUUID;

/**
 * A Deployment of one pod that runs a shell command.
 *
 * @param progressDeadlineSeconds short where it is never to get ready; else for a machine that other tests keep busy
 */
export const deployment = (
  name: string,
  command: string,
  { image = 'debian:bookworm-slim', progressDeadlineSeconds = 300 } = {},
): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      progressDeadlineSeconds,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'app', image, command: ['sh', '-c', command] }],
        },
      },
    },
  });

export const configMap = (name: string, data: Record<string, string>, annotations = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data });

/** A Job that runs before the sync and takes its time. */
export const slowHook = (name: string, seconds: number): string =>
  JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: {
        'argocd.argoproj.io/hook': 'PreSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      },
    },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'hook', image: 'debian:bookworm-slim', command: ['sleep', String(seconds)] }],
        },
      },
    },
  });
