import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { openRun } from '../../../test/support/open-run.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { Release, Source } from '../../model/delivery/change.ts';
import type { Approval } from '../../model/promotion/promotion.ts';
import type { ArgoCd, HeldObject } from '../../systems/argocd/index.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createResolveChanges } from '../delivery/resolve-changes.ts';
import { createVerifyChange } from '../delivery/verify-change.ts';
import { createRemovalActivities } from './index.ts';

const config = configuration({
  people: {
    'board-1': { emails: ['dev@example.com'] },
    'board-2': {},
    'board-3': {},
  },
});
const overlay = 'manifests/claims/overlays/production';
const files = {
  'services/claims/Dockerfile': 'FROM scratch\n',
  'services/other/Dockerfile': 'FROM scratch\n',
  'manifests/other/base/kustomization.yaml': 'resources: []\n',
  'manifests/claims/base/kustomization.yaml': 'resources: [map.yaml]\n',
  'manifests/claims/base/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: claims }\n',
  [`${overlay}/kustomization.yaml`]: 'resources: [../../base]\n',
};
const asked: Approval = {
  by: 'decisions',
  quorum: 2,
  expiresAfterMs: 1,
  deciders: ['board-1', 'board-2', 'board-3'],
};
const asker = { workflowId: 'w', runId: 'r' };

let disk: DiskRepository;
let before: string;
let commit: string;
let source: Source;
let stored: Map<string, string>;
let application: Partial<Application> | undefined;
let bringer: string | undefined;
let root: Partial<Application> | undefined;
let refreshed: number;
let removal: 'going' | 'absent' | 'changed';
let held: HeldObject[];
let left: Awaited<ReturnType<ArgoCd['leftOf']>>;

beforeEach(async () => {
  disk = await makeDiskRepository(files);
  before = await disk.git('rev-parse', 'HEAD');
  commit = await remove('services/claims', 'manifests/claims');
  ({ source } = await createVerifyChange(systems()).verifyChange({ change: change() }));
  stored = new Map();
  application = {
    name: 'claims-production',
    source: { repoURL: config.repository.url, path: overlay, targetRevision: 'main' },
    deployedRevision: before,
    destination: { namespace: 'production' },
  };
  removal = 'absent';
  left = [];
  held = [];
  bringer = undefined;
  root = undefined;
  refreshed = 0;
  return () => disk.remove();
});

async function remove(...paths: string[]): Promise<string> {
  await disk.git('rm', '-r', '-q', ...paths);
  await disk.git('commit', '-q', '-m', 'Take no claims any more');
  await disk.git('push', '-q', 'origin', 'HEAD');
  return disk.git('rev-parse', 'HEAD');
}

const change = () => ({ service: 'claims', commit });
const systems = () => ({
  config,
  repository: disk.repository,
  sourceOf: () => disk.repository,
  objects: { get: async () => undefined } as Partial<ObjectStore> as ObjectStore,
});

async function acting<T>(
  work: (to: ReturnType<typeof createRemovalActivities>, release: Release) => Promise<T>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'removal-test-'));
  const argocd = {
    application: async (name: string) => (name === bringer ? root : application),
    heldBy: async () => held,
    kustomizeBuildOptions: async () => [],
    remove: async () => removal,
    bringerOf: async () => bringer,
    refresh: async () => void (refreshed += 1),
    leftOf: async () => left,
  } as Partial<ArgoCd> as ArgoCd;
  const objects = {
    put: async (key: string, body: string) => (stored.set(key, body), true),
  } as Partial<ObjectStore> as ObjectStore;
  const activities = createRemovalActivities({ ...systems(), argocd, objects, temporal: openRun }, folder);
  const release: Release = { change: change(), source, removes: true };
  const environment = new MockActivityEnvironment({ workflowExecution: asker });
  try {
    return await environment.run<[], T, () => Promise<T>>(() => work(activities, release));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const preview = () =>
  acting((to, release) => to.previewRemoval({ environment: 'production', release, asked }));
const deletingWith = (approved: string | undefined) =>
  acting((to, release) =>
    to.removeApplication({
      environment: 'production',
      release,
      seen: { revisions: [before], destination: {} },
      ...(approved !== undefined && { approved }),
      asker,
    }),
  );
/** Once people approved what they were shown. */
const deleting = async () => deletingWith((await preview()).rendered?.manifestsDigest);

test('the commit that removes a service is a change of it, which tests and builds nothing', async () => {
  const plan = await createVerifyChange(systems()).verifyChange({ change: change() });
  expect(plan).toMatchObject({ removes: true, test: false, image: 'none' });
  expect(plan.source).toMatchObject({
    subject: 'Take no claims any more',
    authors: ['Dev <dev@example.com>'],
  });
  expect(plan.environments.map(({ name }) => name)).toEqual(['dev', 'production']);
});

test('what was removed since a commit is found, at the commit that did it, and so is its name', async () => {
  const later = await disk.commit('later', { 'services/other/more.txt': '' });
  const { resolveChanges } = createResolveChanges(systems());
  const found = (await resolveChanges({ since: before })).map((one) => one.change);
  expect(found).toEqual([{ service: 'other', commit: later }, change()]);
  expect(await resolveChanges({ service: 'claims', until: commit })).toMatchObject([{ change: change() }]);
  await expect(resolveChanges({ service: 'claims', until: later })).rejects.toThrow(
    'There is no service claims',
  );
});

test('an older commit of what has been removed is not delivered any more', async () => {
  const { resolveChanges } = createResolveChanges(systems());
  const old = { service: 'claims', commit: before };
  const refusal = /^claims has been removed since .* is not at .* To have it back, bring that folder back/;
  await expect(resolveChanges({ service: 'claims', until: before })).rejects.toThrow(refusal);
  await expect(createVerifyChange(systems()).verifyChange({ change: old })).rejects.toThrow(refusal);
});

test('a service that has lost its manifests alone is not taken for removed', async () => {
  const other = await remove('manifests/other');
  await expect(
    createVerifyChange(systems()).verifyChange({ change: { service: 'other', commit: other } }),
  ).rejects.toThrow(/other has no manifests at .* but is a service there still\. To remove it/);
});

test('the commit that removes a service takes no image', async () => {
  const image = `registry.example/team/claims@sha256:${'d'.repeat(64)}`;
  await expect(createVerifyChange(systems()).verifyChange({ change: change(), image })).rejects.toThrow(
    `${commit} removes claims, so it takes no image. Leave --image out.`,
  );
});

test('people are shown all that is deleted, and who wrote the commit is told from those who may decide', async () => {
  const { rendered, authors, seen } = await preview();
  expect(authors).toEqual(['board-1']);
  expect(rendered?.summary).toBe('1 removed: ConfigMap/claims');
  expect(stored.get(rendered?.diff ?? '')).toMatch(/=== DELETED: ConfigMap\/claims/);
  expect(seen).toEqual({ revisions: [before], destination: { namespace: 'production' } });
});

test('a commit that nobody has any more and the one that stands for it are looked at side by side', async () => {
  const revisions = ['f'.repeat(40), before];
  application = undefined;
  left = [];
  expect(
    await acting((to, release) =>
      to.removeApplication({
        environment: 'production',
        release,
        seen: { revisions, destination: {} },
        approved: 'x',
        asker,
      }),
    ),
  ).toEqual({ state: 'gone' });
});

test('what people approved is deleted, and ends when nothing of it is left', async () => {
  expect(await deleting()).toEqual({ state: 'gone' });
});

test('what they did not see is not deleted', async () => {
  expect(await deletingWith('sha256:other')).toEqual({ state: 'changed' });
  removal = 'changed';
  expect(await deleting()).toEqual({ state: 'changed' });
});

test('a root that has not seen that the service is gone would bring it back, and is waited for', async () => {
  bringer = 'bakery-production';
  const automated = { prune: true };
  root = { automated, sync: { revision: before } } as Partial<Application>;
  await expect(deleting()).rejects.toMatchObject({ type: 'Busy', nonRetryable: false });
  expect(refreshed).toBe(1);
  for (const revision of [commit, 'f'.repeat(40)]) {
    root = { automated, sync: { revision } } as Partial<Application>;
    expect(await deleting()).toEqual({ state: 'gone' });
  }
  root = { sync: { revision: before } } as Partial<Application>;
  expect(await deleting()).toEqual({ state: 'gone' });
});

test('a root that would bring it back, whatever it has seen, is named', async () => {
  bringer = 'bakery-production';
  root = { automated: { prune: true }, sync: { revision: commit } } as Partial<Application>;
  const approved = (await preview()).rendered?.manifestsDigest;
  application = undefined;
  const one = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', namespace: 'argocd' };
  held = [{ ...one, name: 'claims-production', requiresPruning: false }];
  await expect(deletingWith(approved)).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringMatching(/bakery-production still brings claims-production .* Take its manifest/),
  });
  held = [{ ...one, name: 'claims-production', requiresPruning: true }];
  expect(await deletingWith(approved)).toEqual({ state: 'gone' });
});

test('what belongs to it and is in no manifest is shown as well, and decided on', async () => {
  const map = { group: '', version: 'v1', namespace: 'production', requiresPruning: false };
  held = [
    { ...map, kind: 'ConfigMap', name: 'claims' },
    { ...map, kind: 'Secret', name: 'left' },
  ];
  const { rendered, seen } = await preview();
  expect(rendered?.summary).toBe('2 removed: ConfigMap/claims, Secret/left in production');
  expect(seen.objects?.map(({ name }) => name)).toEqual(['claims', 'left']);
  held = [];
  expect(await deletingWith(rendered?.manifestsDigest)).toEqual({ state: 'changed' });
});

test('where decisions are demanded by now, nothing is deleted without them', async () => {
  expect(await deletingWith(undefined)).toMatchObject({
    state: 'refused',
    reason: expect.stringMatching(/^The configuration demands decisions by now\./) as string,
  });
});

test('an Application of that name that brings something else is neither shown nor deleted', async () => {
  const approved = (await preview()).rendered?.manifestsDigest;
  application = {
    ...application,
    source: { repoURL: config.repository.url, path: 'elsewhere', targetRevision: 'main' },
  };
  for (const attempt of [preview, () => deletingWith(approved)]) {
    await expect(attempt()).rejects.toMatchObject({ type: 'Refused' });
  }
});

test('an overlay that never had its release has left nothing', async () => {
  application = undefined;
  await disk.git('reset', '-q', '--hard', before);
  await disk.git('push', '-q', '--force', 'origin', 'HEAD');
  before = await disk.commit('waits', { [`${overlay}/kustomization.yaml`]: 'resources: [release]\n' });
  commit = await remove('services/claims', 'manifests/claims');
  expect(await deleting()).toEqual({ state: 'gone' });
});

test('what runs from a commit that somebody rewrote is shown as the removal took it away', async () => {
  application = { ...application, deployedRevision: 'f'.repeat(40) };
  expect((await preview()).rendered?.summary).toMatch(/1 removed: ConfigMap\/claims/);
});

test('an Application that is being deleted is waited for, and so is what it deployed', async () => {
  removal = 'going';
  await expect(deleting()).rejects.toMatchObject({ type: 'Busy', nonRetryable: false });
  removal = 'absent';
  left = [{ name: 'ConfigMap/claims in production', isGoing: true }];
  await expect(deleting()).rejects.toMatchObject({ type: 'Busy', nonRetryable: false });
});

test('what is left of an Application that is gone is named', async () => {
  application = undefined;
  left = [{ name: 'ConfigMap/claims in production', isGoing: false }];
  expect(await deleting()).toEqual({
    state: 'refused',
    reason:
      'Application claims-production is gone, but not all that it deployed: ConfigMap/claims in production. ' +
      'Nobody looks after that any more. Delete it with kubectl, then deliver the change again.',
  });
});

test('a service that is back is not removed', async () => {
  await disk.commit('back', { 'manifests/claims/base/kustomization.yaml': 'resources: []\n' });
  for (const attempt of [preview, deleting]) {
    await expect(attempt()).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(/^claims is in the repository again at /) as string,
    });
  }
});

test('a removal that was taken off the branch removes nothing', async () => {
  await disk.git('reset', '-q', '--hard', before);
  await disk.git('push', '-q', '--force', 'origin', 'HEAD');
  for (const attempt of [preview, deleting]) {
    await expect(attempt()).rejects.toThrow(
      'is not on the protected branch any more, so nothing is removed.',
    );
  }
});
