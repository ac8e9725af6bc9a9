import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { Image } from '../../model/delivery/change.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import type { Preview } from '../contract.ts';
import { createRenderActivities } from './render.ts';

const name = 'registry.example/team/claims';
const digest = `sha256:${'d'.repeat(64)}`;
const base = 'manifests/claims/base';
const overlay = 'manifests/claims/overlays/dev';

let disk: DiskRepository;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-test-'));
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch\n',
    [`${overlay}/kustomization.yaml`]: 'resources: [release]\n',
  });
  return () => disk.remove();
});
afterAll(() => rm(folder, { recursive: true }));

/** Nobody is asked in dev, and its Application is not there yet. */
const config = configuration({
  registry: { image: 'registry.example/team/{service}', allowed: ['ci.example/claims'] },
});
const argocd = {
  application: async () => undefined,
  heldBy: async () => [],
  kustomizeBuildOptions: async () => [],
} as Partial<ArgoCd> as ArgoCd;
/** There is nothing to be stored. */
const objects = {} as ObjectStore;

/** Previews, in dev, a release of a base of these files. */
async function preview(
  files: Record<string, string>,
  image: Image | null = { name, digest },
): Promise<Preview> {
  const resources = Object.keys(files).filter((file) => !file.includes('kustomiz') && file !== 'images.yaml');
  const kustomization = `resources: [${resources.join(', ')}]\n`;
  const all = { 'kustomization.yaml': kustomization, ...files, 'now.txt': `${Math.random()}` };
  const commit = await disk.commit(
    'base',
    Object.fromEntries(Object.entries(all).map(([file, content]) => [`${base}/${file}`, content])),
  );
  const refs = await disk.git('ls-remote', 'origin');
  const activities = createRenderActivities(
    { config, repository: disk.repository, sourceOf: () => disk.repository, argocd, objects },
    folder,
  );
  const tree = (await disk.repository.object(commit, base)) ?? '';
  try {
    return await activities.previewRelease({
      environment: 'dev',
      asked: { by: 'none' },
      release: {
        change: { service: 'claims', commit },
        source: { position: 1, subject: '', authors: [], committedAt: '', base: tree, paths: [] },
        ...(image && { image }),
      },
    });
  } finally {
    expect(await disk.git('ls-remote', 'origin')).toBe(refs);
  }
}

const object = (kind: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'apps/v1', kind, metadata: { name: 'claims' }, spec });
const deployment = (...images: string[]): string =>
  object('Deployment', {
    template: { spec: { containers: images.map((image, i) => ({ name: `app-${i}`, image })) } },
  });
const refusal = (message: string | RegExp) => ({
  type: 'Refused',
  nonRetryable: true,
  message: expect.stringMatching(message) as string,
});

test('where nobody is asked a release is rendered, too, and nothing is stored of it', async () => {
  expect(await preview({ 'deployment.json': deployment(name) })).toEqual({
    seen: { tip: await disk.git('rev-parse', 'HEAD') },
  });
});

test.each([
  'claims',
  'team/claims:1.0',
  'docker.io/team/claims',
  'registry.local/team/claims',
  'registry.example/team/claim:v3',
  'registry.example/team/claims-api',
])('a base that names %s instead of the image is refused before anything is written', async (other) => {
  await expect(preview({ 'deployment.json': deployment('nginx:1.29', other) })).rejects.toMatchObject(
    refusal(
      `base/ of claims does not name the image ${name}: its images are ${other}, nginx:1.29. To have it run, write image: ${name} there, without a tag.`,
    ),
  );
});

test('so is one that names none', async () => {
  await expect(preview({ 'service.json': object('Service', {}) })).rejects.toMatchObject(
    refusal(/no image is in it\. To have it run, write image: /),
  );
});

test('any tag that base has gives way to the release', async () => {
  await expect(preview({ 'deployment.json': deployment(`${name}:1.0`) })).resolves.toHaveProperty('seen');
});

test('an image that was given under another name must be named by base, too', async () => {
  const given = { name: 'ci.example/claims', digest };
  await expect(preview({ 'deployment.json': deployment(name) }, given)).rejects.toMatchObject(
    refusal(
      `base/ of claims does not name the given image ci.example/claims: its images are ${name}. Give one as ${name}, or write image: ci.example/claims there, without a tag.`,
    ),
  );
  await expect(preview({ 'deployment.json': deployment(given.name) }, given)).resolves.toHaveProperty('seen');
});

test('an image in a field that Kustomize does not know is refused, and taken once it is configured', async () => {
  const spark = { 'spark.json': object('SparkApplication', { type: 'Python', image: `${name}:latest` }) };
  const configure =
    'let base/kustomization.yaml say configurations: [images.yaml], and base/images.yaml say images: [{ path: spec/image, kind: SparkApplication }]';
  for (const files of [spark, { ...spark, 'deployment.json': deployment(name) }]) {
    await expect(preview(files)).rejects.toMatchObject({
      message: expect.stringContaining(
        `SparkApplication/claims: spec.image would run ${name}:latest, not ${digest}. Kustomize changes images of containers only: ${configure}.`,
      ) as string,
    });
  }
  const configured = {
    'kustomization.yaml': 'resources: [spark.json]\nconfigurations: [images.yaml]\n',
    'images.yaml': 'images: [{ path: spec/image, kind: SparkApplication }]\n',
  };
  await expect(preview({ ...spark, ...configured })).resolves.toHaveProperty('seen');
});

test('a service without an image needs none', async () => {
  await expect(preview({ 'service.json': object('Service', {}) }, null)).resolves.toHaveProperty('seen');
});

test('a base that does not render is refused', async () => {
  await expect(preview({ 'kustomization.yaml': 'resources: [nothing.yaml]\n' })).rejects.toMatchObject(
    refusal(/names nothing\.yaml, which is not in the repository/),
  );
});

test('an overlay may take away one of two that run the image, but not both', async () => {
  const both = {
    'deployment.json': deployment(name),
    'job.json': object('CronJob', {
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'nightly', image: name }] } } } },
    }),
  };
  const without = (...kinds: string[]): string =>
    JSON.stringify({
      resources: ['release'],
      patches: kinds.map((kind) => ({
        target: { kind },
        patch: JSON.stringify({
          $patch: 'delete',
          apiVersion: 'apps/v1',
          kind,
          metadata: { name: 'claims' },
        }),
      })),
    });
  await disk.commit('overlay', { [`${overlay}/kustomization.yaml`]: without('CronJob') });
  await expect(preview(both)).resolves.toHaveProperty('seen');
  const service = { 'service.json': object('Service', {}) };
  await disk.commit('overlay', { [`${overlay}/kustomization.yaml`]: without('CronJob', 'Deployment') });
  await expect(preview({ ...both, ...service })).rejects.toMatchObject(
    refusal(/Nothing that the overlay renders has the image .* Say resources: \[release\]/),
  );
  await disk.commit('overlay', { [`${overlay}/kustomization.yaml`]: 'resources: [release]\n' });
});

test.each(['.argocd-source.yaml', '.argocd-source-claims-dev.yaml', 'zChart.yaml'])(
  'an overlay beside which %s lies is refused: another rendering would run than was looked at',
  async (file) => {
    await disk.commit('source', { [`${overlay}/${file}`]: 'kustomize: { namePrefix: canary- }\n' });
    await expect(preview({ 'deployment.json': deployment(name) })).rejects.toMatchObject(
      refusal(
        `${overlay}/${file} has Argo CD render something else .* delete it\\.`.replaceAll(
          '.argocd',
          '\\.argocd',
        ),
      ),
    );
    await disk.git('rm', '-q', `${overlay}/${file}`);
  },
);

test('what belongs to another Application is nobody’s business here', async () => {
  await disk.commit('source', { [`${overlay}/.argocd-source-claims-other.yaml`]: 'kustomize: {}\n' });
  await expect(preview({ 'deployment.json': deployment(name) })).resolves.toHaveProperty('seen');
});
