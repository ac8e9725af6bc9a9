import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBuildActivities } from '../src/activities/delivery/index.ts';
import { createVerifyChange } from '../src/activities/delivery/verify-change.ts';
import type { Image, Source } from '../src/model/delivery/change.ts';
import { createCommandRunner } from '../src/systems/commands/runner.ts';
import { createBuildah } from '../src/systems/images/buildah.ts';
import { configuration } from './support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from './support/disk-repository.ts';

/** Steps of the Dockerfiles below only copy: what is not in the context fails the build. */
const files = {
  'libs/money/money.mjs': 'export const vat = 0.15;\n',
  'src/orders/server.mjs': "import '/libs/money/money.mjs';\n",
  'src/orders/Dockerfile': [
    'FROM scratch AS test',
    'COPY ./libs/money /libs/money',
    'FROM scratch AS app',
    'ARG COLOUR=none',
    'LABEL colour=$COLOUR stage=app',
    'COPY ./libs/money /libs/money',
    'COPY ./src/orders/server.mjs .',
    'FROM app AS debug',
    'LABEL stage=debug',
    '',
  ].join('\n'),
  Dockerfile: 'FROM scratch\nLABEL stage=whole\nCOPY src/orders/server.mjs /\n',
  'manifests/orders/base/kustomization.yaml': 'resources: []\n',
};

const team = `build-${randomBytes(3).toString('hex')}`;
const registry = { host: 'localhost:5000', insecure: true };
let disk: DiskRepository;
let workDirectory: string;

beforeAll(async () => {
  disk = await makeDiskRepository(files);
  workDirectory = await mkdtemp(join(tmpdir(), 'building-'));
  await chmod(workDirectory, 0o711);
});
afterAll(() => Promise.all([disk.remove(), rm(workDirectory, { recursive: true, force: true })]));

/** What a worker of `build` does for the newest commit. */
async function activities(services: object) {
  const config = configuration({
    services,
    registry: { image: `${registry.host}/${team}/{service}`, insecure: true },
  });
  const images = createBuildah({ directory: join(workDirectory, 'images'), registry });
  const records = new Map<string, string>();
  const objects = {
    get: async (key: string) => {
      const body = records.get(key);
      return body === undefined ? undefined : { body, etag: '1' };
    },
    put: async (key: string, body: string) => Boolean(records.set(key, body)),
    list: async () => [],
  };
  const { repository } = disk;
  const commands = createCommandRunner();
  const systems = {
    config,
    repository,
    sourceOf: () => repository,
    objects,
    images,
    commands,
    workDirectory,
  };
  const build = createBuildActivities(systems);
  const commit = await disk.git('rev-parse', 'HEAD');
  const source = { committedAt: '2026-01-01T00:00:00Z' } as Source;
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(work);
  const logs = () => [...records].filter(([key]) => key.startsWith('logs/')).join('\n');
  return {
    verify: () =>
      run(() => createVerifyChange(systems).verifyChange({ change: { service: 'orders', commit } })),
    test: () => run(() => build.testService({ change: { service: 'orders', commit } })),
    adopt: (reference: string) =>
      run(() => build.adoptImage({ change: { service: 'orders', commit }, reference })),
    labels: (image: Image) => images.labels(image),
    async build(service = 'orders') {
      const change = { service, commit };
      const image: Image = await run(() => build.buildImage({ change, source })).catch((error: unknown) => {
        throw new Error(logs(), { cause: error });
      });
      return { ...image, labels: await images.labels(image) };
    },
  };
}

const orders = { path: 'src/orders', paths: ['libs/**'] };

test('an image is built from the root of the repository, with its arguments, up to its stage', async () => {
  const explicit = { orders: { ...orders, context: '.', target: 'app', buildArgs: { COLOUR: 'red' } } };
  const worker = await activities({ explicit });
  expect(await worker.build()).toMatchObject({ labels: { colour: 'red', stage: 'app' } });
  const all = await activities({ context: 'repository', discover: ['src/*'] });
  expect(await all.build()).toMatchObject({ labels: { colour: 'none', stage: 'debug' } });
}, 120_000);

test('the test stage of a Dockerfile is built from the same context', async () => {
  const worker = await activities({ explicit: { orders: { ...orders, context: '.' } } });
  expect(await worker.verify()).toMatchObject({ test: true, image: 'build' });
  await worker.test();
  const narrow = await activities({ explicit: { orders } });
  await expect(narrow.test()).rejects.toMatchObject({ type: 'TestsFailed' });
  await expect(narrow.build()).rejects.toThrow(/libs\/money/);
}, 120_000);

test('a Dockerfile at the root builds a service of the whole repository', async () => {
  const worker = await activities({ explicit: { orders, tools: { path: '.' } } });
  expect(await worker.build('tools')).toMatchObject({ labels: { stage: 'whole' } });
}, 120_000);

test('what a build copies is never what a link leads to outside of the repository', async () => {
  await disk.link('/etc/hostname', 'linked/secret');
  await disk.commit('links', { 'linked/Dockerfile': 'FROM scratch\nCOPY secret /secret\n' });
  const worker = await activities({ explicit: { orders, linked: { path: 'linked' } } });
  await expect(worker.build('linked')).rejects.toThrow(/COPY secret[^]*no such file/);
}, 120_000);

const repository = `http://${registry.host}/v2/${team}/orders`;
const sha256 = (content: string): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

async function send(method: string, url: string, type: string, body: string): Promise<Headers> {
  const answer = await fetch(url, { method, headers: { 'content-type': type }, body });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.headers;
}

/** @returns what an index says of it */
async function pushManifest(type: string, manifest: object) {
  const body = JSON.stringify(manifest);
  const mediaType = `application/vnd.oci.image.${type}.v1+json`;
  await send('PUT', `${repository}/manifests/${sha256(body)}`, mediaType, body);
  return { mediaType, digest: sha256(body), size: body.length };
}

/** As buildx pushes one beside each image: what was attested of it, for no platform. */
async function pushAttestation() {
  const config = '{}';
  const upload = (await send('POST', `${repository}/blobs/uploads/`, 'text/plain', '')).get('location') ?? '';
  const url = new URL(upload, repository);
  url.searchParams.set('digest', sha256(config));
  await send('PUT', url.href, 'application/octet-stream', config);
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  return pushManifest('manifest', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType, digest: sha256(config), size: config.length },
    layers: [],
  });
}

test('an index that buildx pushed is adopted by its own digest', async () => {
  const worker = await activities({ explicit: { orders: { ...orders, context: '.' } } });
  const { name, digest } = await worker.build();
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const image = await (await fetch(`${repository}/manifests/${digest}`, { headers: { accept } })).text();
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const index = await pushManifest('index', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { mediaType: accept, digest, size: image.length, platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...(await pushAttestation()),
        platform: unknown,
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      },
    ],
  });

  expect(await worker.labels({ name, digest: index.digest })).toMatchObject({ stage: 'debug' });
  const another = await activities({ explicit: { orders: { ...orders, context: '.' } } });
  expect(await another.adopt(`${name}@${index.digest}`)).toEqual({ name, digest: index.digest });
}, 120_000);
