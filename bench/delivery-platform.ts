import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { createClient, type Delivery, type GitopsClient } from '../src/client.ts';
import { makeBucket } from '../test/support/bucket.ts';
import { makeGiteaRepository, type GiteaRepository } from '../test/support/gitea.ts';
import { loadConfig } from '../src/config/load.ts';
import { applicationName } from '../src/config/environments.ts';
import type { Config } from '../src/config/schema.ts';
import { attributes } from '../src/model/temporal/search-attributes.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { registerSearchAttributes } from '../src/systems/temporal/setup.ts';
import { gitEnvironment, pushFiles } from './git.ts';

export interface Wanted {
  services: string[];
  /** Those that Argo CD really deploys; of the others it knows, and leaves them alone. */
  deployed: string[];
  environments: object[];
  test: string[];
}

/** A platform on the stack with a namespace, a repository and a bucket of its own; nobody works for it yet. */
export interface DeliveryPlatform {
  name: string;
  config: Config;
  temporal: Client;
  gitops: GitopsClient;
  gitea: GiteaRepository;
  /** Environment of processes that push to its repository. */
  git: Record<string, string>;
  /** Environment of its worker. */
  env: Record<string, string>;
  /** A folder that goes away with it. */
  folder: string;
  /** A developer's commit. @returns its hash */
  commit(service: string): Promise<string>;
  /**
   * Starts a delivery, does what people do meanwhile, and waits for its end.
   *
   * @throws WorkflowFailedError when it fails
   */
  deliver(service: string, commit: string, meanwhile?: () => Promise<void>): Promise<Delivery>;
  remove(): Promise<void>;
}

export async function makeDeliveryPlatform(wanted: Wanted): Promise<DeliveryPlatform> {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'bench-platform-'));
  const gitea = await makeGiteaRepository({});
  const configFile = join(folder, 'gitops.yaml');
  await writeFile(configFile, stringify(configurationOf(name, gitea, wanted)));
  process.env['BENCH_FORGE_TOKEN'] = gitea.token('bot');
  const config = loadConfig(configFile);
  const git = gitEnvironment(gitea.token('bot'));
  await pushFiles(config.repository.url, join(folder, 'seed'), git, filesOf(name, config, wanted));
  const bucket = await makeBucket(name);
  const temporal = await connectClient();
  await registerSearchAttributes(temporal);
  await kubectl(['create', 'namespace', name]);
  await kubectl(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'List',
    items: applicationsOf(name, config, wanted),
  });
  const gitops = createClient(temporal, name);
  let commits = 0;

  return {
    name,
    config,
    temporal,
    gitops,
    gitea,
    folder,
    git,
    env: {
      GITOPS_CONFIG: configFile,
      GITOPS_WORK_DIRECTORY: join(folder, 'work'),
      BENCH_FORGE_TOKEN: gitea.token('bot'),
    },
    commit(service) {
      commits += 1;
      return gitea.commit('main', `services/${service}/change-${commits}.txt`, `${commits}\n`);
    },
    async deliver(service, commit, meanwhile) {
      const { workflowId } = await gitops.deliver({ service, commit });
      await meanwhile?.();
      return (await temporal.workflow.getHandle(workflowId).result()) as Delivery;
    },
    async remove() {
      const query = `${attributes.platform.name} = "${name}" AND ExecutionStatus = "Running"`;
      for await (const { workflowId, runId } of temporal.workflow.list({ query })) {
        await temporal.workflow.getHandle(workflowId, runId).terminate('The bench is over.');
      }
      await temporal.connection.close();
      const path = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';
      await kubectl(['delete', '--raw', `${path}?labelSelector=bench%3D${name}`]);
      await kubectl(['delete', 'namespace', name, '--wait=false']);
      await gitea.remove();
      await bucket.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const configurationOf = (platform: string, gitea: GiteaRepository, { environments, test }: Wanted) => ({
  platform,
  repository: { url: `${gitea.url}/${gitea.owner}/${gitea.name}.git`, token: 'env:BENCH_FORGE_TOKEN' },
  forge: { kind: 'gitea', url: gitea.url, token: 'env:BENCH_FORGE_TOKEN' },
  registry: { image: `localhost:5000/${platform}/{service}`, insecure: true },
  objects: { endpoint: process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333', bucket: platform },
  manifests: 'deploy/{service}',
  services: { discover: ['services/*'], test },
  environments: environments.map((environment) => ({
    application: `${platform}-{service}-{environment}`,
    ...environment,
  })),
  identity: 'trusted-namespace',
  people: { 'board-1': {}, 'board-2': {} },
});

/** No pod runs: its start would take the same seconds whoever waits for it. */
const deploymentOf = (service: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: service },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: service } },
    template: { metadata: { labels: { app: service } }, spec: { containers: [{ name: 'app', image }] } },
  },
});

function filesOf(platform: string, { environments }: Config, { services }: Wanted): Record<string, string> {
  const files: Record<string, string> = {};
  for (const service of services) {
    const image = `localhost:5000/${platform}/${service}`;
    files[`services/${service}/Dockerfile`] = 'FROM debian:bookworm-slim\nCOPY . /app\n';
    files[`deploy/${service}/base/kustomization.yaml`] = 'resources: [deployment.yaml]\n';
    files[`deploy/${service}/base/deployment.yaml`] = stringify(deploymentOf(service, image));
    for (const { name } of environments) {
      files[`deploy/${service}/overlays/${name}/kustomization.yaml`] =
        `namespace: ${platform}\nnameSuffix: -${name}\nresources: [release]\n`;
    }
  }
  return files;
}

const applicationsOf = (platform: string, config: Config, { services, deployed }: Wanted) =>
  services.flatMap((service) =>
    config.environments.map(({ name, sync }) => ({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: {
        name: applicationName(config, service, name),
        namespace: 'argocd',
        labels: { bench: platform },
        ...(!deployed.includes(service) && {
          annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' },
        }),
      },
      spec: {
        project: 'default',
        source: {
          repoURL: config.repository.url,
          path: `deploy/${service}/overlays/${name}`,
          targetRevision: 'main',
        },
        destination: { server: 'https://kubernetes.default.svc', namespace: platform },
        ...(sync === 'automated' && { syncPolicy: { automated: { prune: true, selfHeal: true } } }),
      },
    })),
  );

async function kubectl(args: string[], input?: object): Promise<void> {
  await execa('kubectl', args, { timeout: 5 * 60_000, ...(input && { input: JSON.stringify(input) }) });
}
