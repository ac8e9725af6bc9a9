import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { expect, vi } from 'vitest';
import { createClient, type Delivery, type GitopsClient } from '../../src/client.ts';
import { documentsOf } from '../../src/cli/documents.ts';
import { loadConfig } from '../../src/config/load.ts';
import { applicationName, applicationNamespace } from '../../src/config/environments.ts';
import { manifestsPath, releasePath } from '../../src/config/paths.ts';
import type { Config, EnvironmentConfig } from '../../src/config/schema.ts';
import type { ObjectStore } from '../../src/systems/objects/index.ts';
import { connectClient } from '../../src/systems/temporal/connect.ts';
import { registerSearchAttributes } from '../../src/systems/temporal/setup.ts';
import { objectStoreOf } from '../../src/wiring/object-store.ts';
import { makeBucket } from './bucket.ts';
import { kubectl } from './kubectl.ts';
import { freePort } from './ports.ts';
import { makeGiteaRepository, type GiteaRepository } from './gitea.ts';

/** A platform on the stack, whole: a repository, namespaces, Applications, its own worker and server as processes. */
export interface Platform {
  name: string;
  config: Config;
  configFile: string;
  /** What its commands and programs have. */
  env: Record<string, string>;
  gitea: GiteaRepository;
  temporal: Client;
  objects: ObjectStore;
  gitops: GitopsClient;
  worker: Program;
  server: Program;
  /** A developer's commit to a service. @returns its hash */
  commit(service: string, subject?: string): Promise<string>;
  /** Waits until a delivery shows what is asked of it; fails with what it shows instead. */
  sees(change: string, what: object, timeout?: number): Promise<Delivery>;
  /** The reviewer approves the pull request that an environment shows. */
  review(change: string, environment: string, event?: 'APPROVED' | 'REQUEST_CHANGES'): Promise<void>;
  /** Both of the board approve. */
  approve(change: string, environment?: string): Promise<void>;
  /** Reviews and approves its way to the end. */
  carry(change: string): Promise<Delivery>;
  /** Commits on main that wrote a change's release into an environment, merges left out. */
  releaseCommits(service: string, environment: string): Promise<string[]>;
  /** Numbers of all pull requests that promotions of a service into an environment opened. */
  pullRequests(service: string, environment: string): Promise<number[]>;
  /** What the pods of a service run in an environment. */
  running(service: string, environment: string): Promise<string[]>;
  kubectl(args: string[], input?: object): Promise<string>;
  /** The command, as a shell runs it. */
  command(...args: string[]): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }>;
  remove(): Promise<void>;
}

export interface Program {
  start(env?: Record<string, string>): Promise<void>;
  /** `kill -9` */
  kill(): Promise<void>;
  /** SIGTERM, and until it has ended. */
  end(): Promise<void>;
  /** Until it has ended, by whatever. */
  ended(): Promise<void>;
  /** Undefined when it does not run. */
  readonly pid: number | undefined;
  /** All that it wrote on stderr, of every start. */
  readonly said: string;
}

export const stages = ['dev', 'staging', 'production'] as const;

const bin = fileURLToPath(new URL('../../bin/gitops.js', import.meta.url));

/** On two busy cores a step takes seconds, a rollout some more. */
const usualPatience = 90_000;

/** Image layers are worth keeping between tests. */
const workDirectory = join(tmpdir(), 'gitops-tests');

/**
 * @param services each with an image, a test, and a Deployment of one pod in every environment
 * @param changes of the configuration; `endToEnd` is the command of staging's test
 * @param patience milliseconds that a delivery is given to come to where people are asked, and to its end
 */
export async function makePlatform(
  services: string[] = ['claims'],
  { endToEnd, ...changes }: { forge?: object; endToEnd?: string[]; [key: string]: unknown } = {},
  patience = usualPatience,
): Promise<Platform> {
  const name = platformName();
  const image = (service: string) => `localhost:5000/${name}/${service}`;
  const gitea = await makeGiteaRepository(
    repositoryOf(services, (environment) => namespaceOf(name, environment), image),
  );
  const { forge, ...others } = configurationOf(name, gitea, endToEnd);
  const configuration = { ...others, ...changes, forge: { ...forge, ...changes.forge } };
  return openPlatform({ name, gitea, configuration, patience }, (config) =>
    services.flatMap((service) =>
      config.environments.map((environment) => applicationOf(config, service, environment)),
    ),
  );
}

/** No two have the same. */
export const platformName = (): string => `t${randomBytes(3).toString('hex')}`;

const namespaceOf = (platform: string, environment: string): string => `${platform}-${environment}`;

const applicationOf = (config: Config, service: string, { name, sync }: EnvironmentConfig): object => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: {
    name: applicationName(config, service, name).replace(/^.*\//, ''),
    namespace: applicationNamespace(config, name),
  },
  spec: {
    project: 'default',
    source: {
      repoURL: config.repository.url,
      path: `deploy/${service}/overlays/${name}`,
      targetRevision: 'main',
    },
    destination: {
      server: 'https://kubernetes.default.svc',
      namespace: namespaceOf(config.platform, name),
    },
    ...(sync === 'automated' && { syncPolicy: { automated: { prune: true, selfHeal: true } } }),
  },
});

/**
 * A platform over a repository that is there.
 *
 * @param configuration all of `gitops.yaml`; secrets in it are `env:TEST_FORGE_TOKEN` and `env:TEST_WEBHOOK_SECRET`
 * @param inArgocd what tells Argo CD of its services; removed with the platform
 */
export async function openPlatform(
  {
    name,
    gitea,
    configuration,
    patience = usualPatience,
  }: { name: string; gitea: GiteaRepository; configuration: object; patience?: number },
  inArgocd: (config: Config) => object[],
): Promise<Platform> {
  const port = await freePort();
  const configFile = join(mkdtempSync(join(tmpdir(), 'gitops-platform-')), 'gitops.yaml');
  writeFileSync(configFile, stringify(configuration));
  const env = {
    GITOPS_CONFIG: configFile,
    GITOPS_WORK_DIRECTORY: workDirectory,
    TEST_FORGE_TOKEN: gitea.token('bot'),
    TEST_WEBHOOK_SECRET: name,
    NO_COLOR: '1',
  };
  Object.assign(process.env, { TEST_FORGE_TOKEN: env.TEST_FORGE_TOKEN, TEST_WEBHOOK_SECRET: name });
  const config = loadConfig(configFile);
  const bucket = await makeBucket(name);
  const temporal = await connectClient();
  await registerSearchAttributes(temporal);
  const gitops = createClient(temporal, name, documentsOf(config));
  const homes = config.environments.flatMap(({ applicationNamespace: home }) => home ?? []);
  const namespaces = [
    ...config.environments.map((environment) => namespaceOf(name, environment.name)),
    ...new Set(homes),
  ];

  await gitea.api('POST', '/hooks', {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request', 'pull_request_review', 'pull_request_sync'],
    config: { url: `http://127.0.0.1:${port}/webhooks/forge`, content_type: 'json', secret: name },
  });
  for (const namespace of namespaces) await kubectl(['create', 'namespace', namespace]);
  const told = { apiVersion: 'v1', kind: 'List', items: inArgocd(config) };
  await kubectl(['apply', '-f', '-'], told);

  const worker = program(['worker'], env);
  const server = program(['server', '--port', String(port)], env);
  let commits = 0;

  async function sees(change: string, what: object, timeout = patience): Promise<Delivery> {
    const delivery = await vi.waitFor(
      async () => {
        const seen = await gitops.status(change);
        // One that has ended will show nothing else.
        if (seen.state === 'running' || seen.state === 'waiting') expectShown(seen, what);
        return seen;
      },
      { timeout, interval: patience / 450 },
    );
    expectShown(delivery, what);
    return delivery;
  }

  async function waitsIn(change: string, environment: string): Promise<Delivery> {
    return sees(change, { environments: { [environment]: { state: 'waiting' } } });
  }

  async function review(
    change: string,
    environment: string,
    event: 'APPROVED' | 'REQUEST_CHANGES' = 'APPROVED',
  ): Promise<void> {
    const { pullRequest } = (await waitsIn(change, environment)).environments[environment] ?? {};
    if (!pullRequest) throw new Error(`${environment} shows no pull request of ${change}.`);
    await gitea.review(pullRequest.number, 'reviewer', event, pullRequest.head);
  }

  async function approve(change: string, environment = 'production'): Promise<void> {
    await waitsIn(change, environment);
    for (const by of ['board-1', 'board-2']) {
      await gitops.decide({ change, environment, verdict: 'approve', by });
    }
  }

  return {
    name,
    config,
    configFile,
    env,
    gitea,
    temporal,
    objects: objectStoreOf(config),
    gitops,
    worker,
    server,
    sees,
    review,
    approve,
    kubectl,

    commit(service, subject) {
      commits += 1;
      return gitea.commit(
        'main',
        `services/${service}/change-${commits}.txt`,
        subject ?? `change ${commits}`,
      );
    },

    async carry(change) {
      for (const environment of config.environments) {
        if (environment.approval === 'review') await review(change, environment.name);
        else if (environment.approval !== 'none') await approve(change, environment.name);
      }
      return sees(change, { state: 'succeeded' });
    },

    async releaseCommits(service, environment) {
      const path = releasePath({ manifests: manifestsPath(config, service) }, environment);
      const found = await gitea.api('GET', `/commits?sha=main&path=${path}&stat=false&files=false&limit=50`);
      return (found as { sha: string; parents: unknown[] }[])
        .filter(({ parents }) => parents.length === 1)
        .map(({ sha }) => sha);
    },

    async pullRequests(service, environment) {
      const found = await gitea.api('GET', '/pulls?state=all&limit=50');
      return (
        (found as { number: number; head: { label: string } }[])
          // A merged one's branch is gone; its label stays.
          .filter(({ head }) => head.label.includes(`/${environment}/${service}/`))
          .map(({ number }) => number)
      );
    },

    async running(service, environment) {
      const namespace = namespaceOf(name, environment);
      const path = 'jsonpath={range .items[*]}{.spec.containers[0].image}{"\\n"}{end}';
      const said = await kubectl(['get', 'pods', '-n', namespace, '-l', `app=${service}`, '-o', path]);
      return said.split('\n').filter((line) => line !== '');
    },

    async command(...args) {
      const options = { env, reject: false, timeout: usualPatience, stdin: 'ignore' } as const;
      const { stdout, stderr, exitCode } = await execa(process.execPath, [bin, ...args], options);
      return { stdout, stderr, exitCode };
    },

    async remove() {
      await Promise.all([worker.kill(), server.kill()]);
      for await (const { workflowId, runId } of temporal.workflow.list({
        query: `GitopsPlatform = "${name}" AND ExecutionStatus = "Running"`,
      })) {
        await temporal.workflow
          .getHandle(workflowId, runId)
          .terminate('The test is over.')
          .catch(() => undefined);
      }
      await temporal.connection.close();
      await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], told);
      await kubectl(['delete', 'namespace', '--wait=false', '--ignore-not-found', ...namespaces]);
      await gitea.remove();
      await bucket.remove();
      await rm(configFile, { force: true });
    },
  };
}

const configurationOf = (
  platform: string,
  gitea: GiteaRepository,
  endToEnd = ['test', '-d', 'services'],
) => ({
  platform,
  repository: { url: `${gitea.url}/${gitea.owner}/${gitea.name}.git`, token: 'env:TEST_FORGE_TOKEN' },
  forge: {
    kind: 'gitea',
    url: gitea.url,
    token: 'env:TEST_FORGE_TOKEN',
    webhookSecret: 'env:TEST_WEBHOOK_SECRET',
  },
  registry: { image: `localhost:5000/${platform}/{service}`, insecure: true },
  objects: { endpoint: process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333', bucket: platform },
  manifests: 'deploy/{service}',
  services: { discover: ['services/*'], test: ['test', '-f', 'Dockerfile'] },
  environments: [
    { name: 'dev', application: `${platform}-{service}-{environment}`, entersBy: 'push' },
    {
      name: 'staging',
      application: `${platform}-{service}-{environment}`,
      approval: 'review',
      endToEnd: { command: endToEnd },
    },
    {
      name: 'production',
      application: `${platform}-{service}-{environment}`,
      approval: { quorum: 2 },
      sync: 'manual',
    },
  ],
  identity: 'trusted-namespace',
  people: {
    'board-1': {},
    'board-2': {},
    developer: { forge: gitea.login('developer'), emails: [`${gitea.login('developer')}@example.com`] },
  },
});

function repositoryOf(
  services: string[],
  namespaceOf: (environment: string) => string,
  imageOf: (service: string) => string,
): Record<string, string> {
  const files: Record<string, string> = {};
  for (const service of services) {
    const source = `services/${service}`;
    const manifests = `deploy/${service}`;
    // The base image is there already; what a commit adds makes each image another one.
    files[`${source}/Dockerfile`] = 'FROM debian:bookworm-slim\nCOPY . /app\nCMD ["sleep", "infinity"]\n';
    files[`${source}/change-0.txt`] = 'the beginning\n';
    files[`${manifests}/base/kustomization.yaml`] = 'resources: [deployment.yaml]\n';
    files[`${manifests}/base/deployment.yaml`] = stringify(deploymentOf(service, imageOf(service)));
    for (const environment of stages) {
      files[`${manifests}/overlays/${environment}/kustomization.yaml`] =
        `namespace: ${namespaceOf(environment)}\nresources: [release]\n`;
    }
  }
  return files;
}

/** Its image has no tag: the release says which. */
const deploymentOf = (service: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: service },
  spec: {
    // Other tests keep the machine busy: what is to fail before that says so.
    progressDeadlineSeconds: 300,
    selector: { matchLabels: { app: service } },
    template: {
      metadata: { labels: { app: service } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'app', image }],
      },
    },
  },
});

function program(args: string[], env: Record<string, string>): Program {
  let child: ReturnType<typeof launch> | undefined;
  let said = '';

  function launch(more: Record<string, string>) {
    const options = { env: { ...env, ...more }, reject: false, stdin: 'ignore', stdout: 'ignore' } as const;
    const launched = execa(process.execPath, [bin, ...args], { ...options, buffer: false });
    launched.stderr.on('data', (text: Buffer) => (said += text.toString()));
    return launched;
  }

  async function stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = child;
    child = undefined;
    running?.kill(signal);
    await running;
  }

  return {
    async start(more = {}) {
      const heard = said.length;
      const launched = launch(more);
      child = launched;
      const ready = () => expect(said.slice(heard)).toContain('ready:');
      // One that somebody killed has started too.
      const ended = launched.then(({ signal }) => {
        if (signal === undefined) throw new Error(`It ended at its start:\n${said.slice(heard)}`);
      });
      await Promise.race([vi.waitFor(ready, { timeout: usualPatience }), ended]);
    },
    kill: () => stop('SIGKILL'),
    end: () => stop('SIGTERM'),
    async ended() {
      await child;
    },
    get pid() {
      return child?.nodeChildProcess.exitCode === null ? child.pid : undefined;
    },
    get said() {
      return said;
    },
  };
}

/** Fails with all that it shows. */
function expectShown(delivery: Delivery, what: object): void {
  try {
    expect(delivery).toMatchObject(what);
  } catch (error) {
    throw new Error(JSON.stringify(delivery, null, 1), { cause: error });
  }
}

/** Starts it again whenever it dies. */
export function keepRunning(
  program: Program,
  env: Record<string, string>,
): { running: Promise<void>; stop(): Promise<void> } {
  const over = new AbortController();
  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      await program.start(env);
      await program.ended();
    }
  }
  const running = run();
  async function stop(): Promise<void> {
    over.abort();
    await program.kill();
    await running;
  }
  return { running, stop };
}
