import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { Release } from '../../model/delivery/change.ts';
import type { Approval } from '../../model/promotion/promotion.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import type { ArgoCd, HeldObject } from '../../systems/argocd/index.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import type { RenderActivities } from '../contract.ts';
import { createRenderActivities } from './render.ts';

const name = 'registry.example/team/claims';
const digest = `sha256:${'d'.repeat(64)}`;
const other = `sha256:${'e'.repeat(64)}`;
const overlay = 'manifests/claims/overlays/production';
const deployment = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'claims' },
  spec: { template: { spec: { containers: [{ name: 'app', image: name }] } } },
});

let disk: DiskRepository;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'render-test-'));
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch\n',
    'manifests/claims/base/kustomization.yaml': 'resources: [deployment.json]\n',
    'manifests/claims/base/deployment.json': deployment,
  });
  return () => disk.remove();
});
afterAll(() => rm(folder, { recursive: true }));

async function releaseOfTip(): Promise<Release> {
  const commit = await disk.git('rev-parse', 'HEAD');
  const base = (await disk.repository.object(commit, 'manifests/claims/base')) ?? '';
  return {
    change: { service: 'claims', commit },
    source: { position: 1, subject: '', authors: [], committedAt: '', base, paths: [] },
    image: { name, digest },
  };
}

/** Renders a release below this overlay, as the Application has it. @returns what was stored for people to look at */
async function render(
  kustomization: string,
  kustomize: Record<string, unknown> = {},
  files: Record<string, string> = {},
): Promise<string[]> {
  const release = await releaseOfTip();
  const revision = await disk.commit('release', {
    ...files,
    [`${overlay}/kustomization.yaml`]: kustomization,
    [`${overlay}/release/kustomization.yaml`]: releaseKustomization(release),
    [`${overlay}/release/base/kustomization.yaml`]: 'resources: [deployment.json]\n',
    [`${overlay}/release/base/deployment.json`]: deployment,
    'now.txt': `${Math.random()}`,
  });
  const stored: string[] = [];
  try {
    await activities(stored, kustomize).renderRelease({ environment: 'production', release, revision });
  } catch (error) {
    // A refusal leaves nothing for people to approve.
    expect(stored).toEqual([]);
    throw error;
  }
  return stored;
}

/** What Argo CD takes for a part of the Application. */
let held: HeldObject[] = [];
beforeEach(() => void (held = []));

/** @param kustomize as the Application has it @param running the revision that it deployed */
function activities(
  stored: string[],
  kustomize: Record<string, unknown> = {},
  running?: string,
  changes: object = {},
  images: string[] = [],
): RenderActivities {
  const config = configuration(changes);
  const application = {
    name: 'claims-production',
    source: { repoURL: config.repository.url, path: overlay, targetRevision: 'main', kustomize },
    deployedRevision: running,
    images,
  } as Partial<Application> as Application;
  const argocd = {
    application: async () => application,
    heldBy: async () => held,
    kustomizeBuildOptions: async () => [],
  } as Partial<ArgoCd> as ArgoCd;
  const objects = {
    get: async () => undefined,
    put: async (_: string, body: string) => Boolean(stored.push(body)),
  } as Partial<ObjectStore> as ObjectStore;
  return createRenderActivities(
    { config, repository: disk.repository, sourceOf: () => disk.repository, argocd, objects },
    folder,
  );
}

test('a release is shown as it would run, by its digest', async () => {
  const [diff] = await render('resources: [release]\nnamespace: production\n');
  expect(diff).toMatch(new RegExp(`image: ${name}:[0-9a-f]{40}@${digest}`));
});

test('the hooks that the sync runs are shown, also where nothing else would change', async () => {
  const hook = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
    spec: { template: { spec: { containers: [{ name: 'migrate', image: 'migrate:1' }] } } },
  };
  const files = { [`${overlay}/job.json`]: JSON.stringify(hook) };
  const [diff] = await render('resources: [release, job.json]\n', {}, files);
  expect(diff).toMatch(/^# The sync runs hook Job\/migrate \(PreSync\)$/m);

  const release = await releaseOfTip();
  const revision = await disk.git('rev-parse', 'HEAD');
  const running = activities([], {}, revision);
  expect(await running.renderRelease({ environment: 'production', release, revision })).toMatchObject({
    summary: 'Nothing changes, but 1 hook runs: Job/migrate (PreSync)',
  });
});

test('what runs but cannot be rendered, of before this platform, is said, and all is shown as new', async () => {
  const before = await disk.commit('before', {
    [`${overlay}/kustomization.yaml`]: 'resources: ["https://forge.example/other.git//deploy"]\n',
  });
  await render('resources: [release]\n');
  const release = await releaseOfTip();
  const revision = await disk.git('rev-parse', 'HEAD');
  const stored: string[] = [];
  const running = activities(stored, {}, before);
  const rendered = await running.renderRelease({ environment: 'production', release, revision });
  expect(rendered.summary).toMatch(/^1 added: Deployment\/claims/);
  expect(stored[0]).toMatch(/^# What runs cannot be rendered, so all is shown as new: .*forge\.example/m);
});

test('what a sync that failed has left is shown as what it is: the next one deletes it', async () => {
  await render('resources: [release]\n');
  const release = await releaseOfTip();
  const revision = await disk.git('rev-parse', 'HEAD');
  const at = { namespace: 'production', requiresPruning: false };
  held = [
    { group: 'apps', version: 'v1', kind: 'Deployment', name: 'claims', ...at },
    { group: '', version: 'v1', kind: 'PersistentVolumeClaim', name: 'data', ...at },
  ];
  const stored: string[] = [];
  const running = activities(stored, {}, revision);
  expect(await running.renderRelease({ environment: 'production', release, revision })).toMatchObject({
    summary: '1 removed: PersistentVolumeClaim/data in production',
  });
  expect(stored[0]).toMatch(/=== DELETED: PersistentVolumeClaim\/data in production/);
});

test('what somebody has pods run past Git is said to who decides', async () => {
  await render('resources: [release]\n');
  const release = await releaseOfTip();
  const revision = await disk.git('rev-parse', 'HEAD');
  const stored: string[] = [];
  const running = activities(stored, {}, revision, {}, ['debian:12']);
  expect(await running.renderRelease({ environment: 'production', release, revision })).toMatchObject({
    summary: 'Pods run debian:12, past Git: the sync takes that back. Nothing changes.',
  });
  expect(stored[0]).toMatch(/^# Pods run debian:12, past Git: the sync takes that back$/m);
});

test('of two objects of one name one would replace the other: they are not even shown', async () => {
  const role = (version: string, more: object) =>
    JSON.stringify({ apiVersion: `example.com/${version}`, kind: 'Thing', metadata: { name: 'r' }, ...more });
  const files = {
    [`${overlay}/shown.json`]: role('v1', {}),
    [`${overlay}/hidden.json`]: role('v1beta1', { rules: ['*'] }),
  };
  await expect(render('resources: [release, hidden.json, shown.json]\n', {}, files)).rejects.toThrow(
    /renders Thing\/r twice .* Remove one\.$/,
  );
});

test('a mirror may have another name: by the digest it is the same image', async () => {
  const [diff] = await render(withImage({ newName: 'mirror.example/claims' }));
  expect(diff).toMatch(new RegExp(`image: mirror\\.example/claims:[0-9a-f]{40}@${digest}`));
});

const asked: Approval = { by: 'decisions', quorum: 1, expiresAfterMs: 1, deciders: [] };

test('what is previewed is what runs once the release is written, and for a preview nothing is written', async () => {
  await disk.commit('overlay', { [`${overlay}/kustomization.yaml`]: 'resources: [release]\n' });
  const release = await releaseOfTip();
  const refs = await disk.git('ls-remote', 'origin');
  const stored: string[] = [];
  const rendering = activities(stored);

  const { seen, rendered } = await rendering.previewRelease({ environment: 'production', release, asked });

  expect(await disk.git('ls-remote', 'origin')).toBe(refs);
  expect(stored[0]).toContain(`against what would run (claims/${release.change.commit} on ${seen.tip})`);
  const written = await disk.repository.writeRelease({
    branch: 'promotion',
    path: `${overlay}/release`,
    base: release.source.base,
    kustomization: releaseKustomization(release),
    expectedTree: seen.tree,
    message: 'release',
    stillWanted: async () => true,
  });
  const { revision = '' } = written as { revision?: string };
  const { manifestsDigest } = await rendering.renderRelease({ environment: 'production', release, revision });
  expect(rendered?.manifestsDigest).toBe(manifestsDigest);
});

test('a preview of a commit that somebody took off the branch is refused', async () => {
  const { change, ...release } = await releaseOfTip();
  const gone = { ...release, change: { ...change, commit: 'f'.repeat(40) } };
  await expect(
    activities([]).previewRelease({ environment: 'production', release: gone, asked }),
  ).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('rewrote it') as string });
});

/** Writes a release of the tip into production, and then an overlay that has another label. */
async function overlayOnto(label: string): Promise<{ release: Release; onto: Release; revision: string }> {
  await render('resources: [release]\n');
  const commit = await disk.git('rev-parse', 'HEAD^');
  const base = (await disk.repository.object(commit, 'manifests/claims/base')) ?? '';
  const source = { position: 1, subject: '', authors: [], committedAt: '', base, paths: [] };
  const onto = { change: { service: 'claims', commit }, source, image: { name, digest } };
  const kustomization = `resources: [release]\ncommonAnnotations: { label: ${label} }\n`;
  const revision = await disk.commit('overlay', { [`${overlay}/kustomization.yaml`]: kustomization });
  const release = { change: { service: 'claims', commit: revision }, source: { ...source, position: 2 } };
  return { release, onto, revision };
}
const decisionsOf = (...deciders: string[]): Approval => ({
  by: 'decisions',
  quorum: 1,
  expiresAfterMs: 1,
  deciders,
});

test('a change of the overlay is shown with the release that stays there, at the commit that would be synced', async () => {
  const { release, onto, revision } = await overlayOnto('seven');
  const stored: string[] = [];
  const found = await activities(stored).previewOverlay({
    ...{ environment: 'production', release, onto: onto.change },
    asked: decisionsOf('board-1', 'board-2'),
  });
  expect(found).toMatchObject({
    released: { change: onto.change, image: onto.image },
    revision,
    authors: ['dev@example.com'],
    rendered: { summary: expect.any(String) as string },
  });
  expect(stored[0]).toMatch(/label: seven/);
  expect(stored[0]).toContain(digest);
});

test('it goes onto no other release than the one that it was meant for', async () => {
  const { release, onto } = await overlayOnto('eight');
  const other = { ...onto.change, commit: 'f'.repeat(40) };
  await expect(
    activities([]).previewOverlay({ environment: 'production', release, onto: other, asked }),
  ).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringMatching(
      /overlays\/production\/release does not hold the release of claims\/f{40} any more/,
    ) as string,
  });
});

test('nor onto one that somebody wrote by hand, or touched', async () => {
  const { release, onto } = await overlayOnto('nine');
  await disk.commit('by hand', { [`${overlay}/release/base/deployment.json`]: `${deployment} ` });
  await expect(
    activities([]).previewOverlay({ environment: 'production', release, onto: onto.change, asked }),
  ).rejects.toMatchObject({ type: 'Refused' });
});

test('where a review is demanded by now, an overlay is not synced without one', async () => {
  const { release, onto } = await overlayOnto('eleven');
  const environments = [{ name: 'production', approval: 'review', sync: 'manual' }];
  await expect(
    activities([], {}, undefined, { environments }).previewOverlay({
      ...{ environment: 'production', release, onto: onto.change },
      asked: { by: 'none' },
    }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/^The configuration demands a review by now/) as string,
  });
});

test('where decisions are demanded by now, it is not enough that none were asked for', async () => {
  const { release, onto } = await overlayOnto('ten');
  await expect(
    activities([]).previewOverlay({
      ...{ environment: 'production', release, onto: onto.change },
      asked: { by: 'none' },
    }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/^The configuration demands decisions by now/) as string,
  });
});

const patch = (container: object, list = 'containers'): string =>
  JSON.stringify({
    resources: ['release'],
    patches: [
      {
        target: { kind: 'Deployment' },
        patch: JSON.stringify({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'claims' },
          spec: { template: { spec: { [list]: [container] } } },
        }),
      },
    ],
  });
const withImage = (image: object): string =>
  JSON.stringify({ resources: ['release'], images: [{ name, ...image }] });

test.each([
  ['another tag', withImage({ newTag: 'latest' }), /container app would run .*:latest.*Remove the override/],
  ['another digest', withImage({ digest: other }), /container app would run .*e{64}, not sha256:d{64}\./],
  ['a patch', patch({ name: 'app', image: `${name}:latest` }), /container app would run/],
  [
    'a patch to another image',
    patch({ name: 'app', image: 'elsewhere.example/claims:1' }),
    /The overlay replaces the image registry\.example\/team\/claims of the release\. Remove that override\./,
  ],
  [
    'an init container with a moved tag',
    patch({ name: 'init', image: `${name}:stable` }, 'initContainers'),
    /container init would run .*:stable, not sha256:d{64}\. Remove the override of the image\./,
  ],
])('an overlay that brings the image by %s is refused', async (_, kustomization, why) => {
  await expect(render(kustomization)).rejects.toMatchObject({
    type: 'Refused',
    nonRetryable: true,
    message: expect.stringMatching(why) as string,
  });
});

test('so is one with a CronJob that runs the image by its tag', async () => {
  const job = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly' },
    spec: {
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'job', image: `${name}:main` }] } } } },
    },
  };
  const files = { [`${overlay}/job.json`]: JSON.stringify(job) };
  await expect(render('resources: [release, job.json]\n', {}, files)).rejects.toMatchObject({
    message: expect.stringMatching(/CronJob\/nightly.*container job would run .*:main/) as string,
  });
});

test('so is an Application that overrides the image by itself', async () => {
  for (const image of [`${name}:latest`, `${name}@${other}`, `${name}=elsewhere.example/claims:1`]) {
    await expect(render('resources: [release]\n', { images: [image] })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(/[Oo]verride/) as string,
    });
  }
});

test('settings of an Application that only Argo CD understands are refused, since nobody saw what they do', async () => {
  const patches = [{ target: { kind: 'Deployment' }, patch: '[]' }];
  await expect(render('resources: [release]\n', { patches })).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringMatching(/cannot be followed .*Write it in the overlay instead\./s) as string,
  });
});
