import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { configSchema, type Config } from '../src/config/schema.ts';
import { createForge } from '../src/wiring/forge.ts';
import { createBuildah } from '../src/systems/images/buildah.ts';
import { useProxies } from '../src/systems/network/proxies.ts';
import { objectStoreOf } from '../src/wiring/object-store.ts';
import { registryAccessOf, repositoryOf } from '../src/wiring/systems.ts';
import { makeBucket } from './support/bucket.ts';
import { makeGiteaRepository, type GiteaRepository } from './support/gitea.ts';
import { makePrivateNetwork, type PrivateNetwork } from './support/private-network.ts';

// No resolver knows these, so whoever gets there went through the proxy.
const [forgeName, registryName, s3Name] = ['forge.private.test', 'registry.private.test', 's3.private.test'];
const registryPassword = randomBytes(16).toString('hex');
const bucketName = `private-${randomBytes(4).toString('hex')}`;

let gitea: GiteaRepository;
let network: PrivateNetwork;
let bucket: { remove(): Promise<void> };
let directory: string;

beforeAll(async () => {
  gitea = await makeGiteaRepository();
  bucket = await makeBucket(bucketName);
  directory = await mkdtemp(join(tmpdir(), 'private-infrastructure-'));
  network = await makePrivateNetwork({
    [forgeName]: { target: gitea.url },
    [registryName]: {
      target: 'http://127.0.0.1:5000',
      login: { username: 'builder', password: registryPassword },
    },
    [s3Name]: { target: process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333' },
  });
  Object.assign(process.env, {
    HTTPS_PROXY: network.proxy,
    NO_PROXY: 'localhost,127.0.0.1,10.87.0.1',
    TEST_FORGE_TOKEN: gitea.token('bot'),
    TEST_REGISTRY_PASSWORD: registryPassword,
  });
  useProxies();
});

afterAll(async () => {
  await network.close();
  await bucket.remove();
  await gitea.remove();
  await rm(directory, { recursive: true, force: true });
});

type Written = z.input<typeof configSchema>;

const written = (): Written => ({
  platform: 'private',
  repository: {
    url: `https://${forgeName}/${gitea.owner}/${gitea.name}.git`,
    token: 'env:TEST_FORGE_TOKEN',
    caFile: network.caFile,
  },
  forge: {
    kind: 'gitea',
    url: `https://${forgeName}`,
    token: 'env:TEST_FORGE_TOKEN',
    caFile: network.caFile,
  },
  registry: {
    image: `${registryName}/private/{service}`,
    login: { username: 'builder', password: 'env:TEST_REGISTRY_PASSWORD' },
    caFile: network.caFile,
  },
  objects: { endpoint: `https://${s3Name}`, bucket: bucketName, caFile: network.caFile },
  manifests: 'deploy/{service}',
  services: { discover: ['services/*'] },
  environments: [{ name: 'staging' }, { name: 'production', sync: 'manual' }],
});

const config = (): Config => configSchema.parse(written());

test('a release is pushed and proposed through proxy and certificate', async () => {
  const repository = repositoryOf(config(), directory);
  const tip = await repository.tip();
  const branch = `gitops/staging/api/${tip}`;
  const path = 'deploy/api/overlays/staging/release';
  const release = await repository.writeRelease({
    branch,
    path,
    base: (await repository.object(tip, 'deploy/api/base')) ?? '',
    kustomization: 'resources: [base]\n',
    expectedTree: await repository.object(tip, path),
    message: 'Release',
    stillWanted: async () => true,
  });
  expect(release).toMatchObject({ state: 'written' });

  const forge = createForge(config());
  const text = { head: branch, base: 'main', title: 'Release', body: '' };
  const { number } = await forge.createPullRequest(text);
  expect(await forge.pullRequest(number)).toMatchObject({ state: 'open', head: { branch } });
  expect(network.visited).toContain(forgeName);
});

test('an image is built on a base image of the private registry, and pushed with its login', async () => {
  await writeFile(
    join(directory, 'Dockerfile'),
    `FROM ${registryName}/library/debian:bookworm-slim\nLABEL made=here\n`,
  );
  const images = createBuildah({
    directory: join(directory, 'images'),
    registry: registryAccessOf(config()),
  });
  let log = '';
  const name = `${registryName}/private/api`;
  const built = await images.buildAndPush(
    {
      context: directory,
      dockerfile: join(directory, 'Dockerfile'),
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      onOutput: (text) => (log += text),
    },
    { name, tag: 'a'.repeat(40), labels: { revision: 'one' }, createdAt: 0 },
  );
  if (built.state !== 'built') throw new Error(log);
  expect(await images.labels({ name, digest: built.digest })).toMatchObject({
    made: 'here',
    revision: 'one',
  });
  expect(log).not.toContain(registryPassword);
});

test('objects are kept', async () => {
  const store = objectStoreOf(config());
  expect(await store.put('some/key.txt', 'kept')).toBe(true);
  expect(await store.get('some/key.txt')).toMatchObject({ body: 'kept' });
  expect(network.visited).toContain(s3Name);
});

const bin = fileURLToPath(new URL('../bin/gitops.js', import.meta.url));
const checksSchema = z.object({
  checks: z.array(
    z.object({ name: z.string(), state: z.string(), detail: z.string(), remedy: z.string().optional() }),
  ),
});

/** What the command finds, in a process that trusts and knows what its configuration says alone. */
async function doctor(change: (config: Written) => void) {
  const changed = written();
  change(changed);
  const file = join(directory, 'gitops.yaml');
  await writeFile(file, stringify(changed));
  const args = [bin, 'doctor', '--json', '--config', file];
  const { stdout } = await execa(process.execPath, args, { reject: false, stdin: 'ignore', timeout: 50_000 });
  expect(stdout).not.toContain(registryPassword);
  const { checks } = checksSchema.parse(JSON.parse(stdout));
  return (name: string) => checks.find((check) => check.name === name);
}

test('doctor reaches all of it', async () => {
  const found = await doctor(() => undefined);
  for (const name of ['repository', 'push', 'forge', 'registry', 'object store']) {
    expect(found(name)).toMatchObject({ state: 'ok' });
  }
});

test('without the certificate authority each system is refused, and the key is named that is missing', async () => {
  const found = await doctor(({ repository, forge, registry, objects }) => {
    for (const system of [repository, forge, registry, objects]) delete system.caFile;
  });
  for (const [name, key] of Object.entries({
    repository: 'repository.caFile',
    forge: 'forge.caFile',
    registry: 'registry.caFile',
    'object store': 'objects.caFile',
  })) {
    expect(found(name)).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/certificate/i),
      remedy: `Set ${key} in gitops.yaml to a PEM file of the authority that signed its certificate.`,
    });
  }
});

test('without its login the registry refuses, and the key is named that is missing', async () => {
  const found = await doctor(({ registry }) => delete registry.login);
  expect(found('registry')).toMatchObject({
    state: 'failed',
    detail: 'The registry wants a login.',
    remedy: 'Set registry.login in gitops.yaml.',
  });
});
