import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test, vi } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { Release } from '../../model/delivery/change.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { createReleaseActivities } from './write-release.ts';
import type { SeenRelease } from '../contract.ts';

const path = 'manifests/claims/overlays/dev/release';
const kustomization = 'resources: [config.yaml]\n';
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: claims }\n';
const place = { environment: 'dev', service: 'claims' };

let disk: DiskRepository;
let releaseOf: (commit: string, service?: string) => Promise<Release>;
beforeEach(async () => {
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch\n',
    'manifests/claims/base/kustomization.yaml': kustomization,
    'manifests/claims/base/config.yaml': configMap,
    'services/web/Dockerfile': 'FROM scratch\n',
    'manifests/web/base/kustomization.yaml': 'resources: []\n',
  });
  releaseOf = async (commit, service = 'claims') => ({
    change: { service, commit },
    source: {
      position: (await disk.repository.position(commit)) ?? 0,
      subject: 'a change',
      authors: [],
      committedAt: '2026-01-01T00:00:00Z',
      base: (await disk.repository.object(commit, `manifests/${service}/base`)) ?? '',
      paths: [],
    },
    image: { name: 'registry.example/team/claims', digest: `sha256:${'d'.repeat(64)}` },
  });
  return () => disk.remove();
});

/** Every run is open, but for these. */
const closed = new Set<string>();
const asked: string[] = [];
const beforeAnswering = new Map<string, Promise<void>>();
const temporal = {
  workflow: {
    // Without a run: the delivery that asked.
    getHandle: (_workflowId: string, runId = 'r') => ({
      describe: async () => {
        asked.push(runId);
        await beforeAnswering.get(runId);
        const status = { name: closed.has(runId) ? 'CONTINUED_AS_NEW' : 'RUNNING' };
        return { status, runId, raw: { workflowExecutionInfo: {} } };
      },
    }),
  },
} as unknown as Client;

const activities = () =>
  createReleaseActivities({
    config: configuration(),
    repository: disk.repository,
    sourceOf: () => disk.repository,
    temporal,
  });
const read = () => activities().readRelease(place);
const write = (release: Release, seen: SeenRelease, runId = 'promotion') =>
  new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId } }).run(
    (input) => activities().writeRelease(input),
    {
      environment: 'dev',
      release,
      seen,
      asker: { workflowId: 'w', runId: 'r' },
    },
  );
const head = () => disk.git('rev-parse', 'HEAD');

/** Somebody writes a release by hand. */
const byHand = async (files: Record<string, string>) => {
  await disk.git('pull', '-q', '--rebase', 'origin', 'main');
  return disk.commit(
    'by hand',
    Object.fromEntries(Object.entries(files).map(([file, text]) => [`${path}/${file}`, text])),
  );
};

test('a release that a promotion wrote is known as its change', async () => {
  const release = await releaseOf(await head());
  const written = await write(release, await read());
  expect(written).toMatchObject({ state: 'written' });
  expect(await read()).toMatchObject({ change: release.change });
});

test('one that a person wrote or touched is nobody’s change, and the next promotion takes its place', async () => {
  const release = await releaseOf(await head());
  const whole = {
    'kustomization.yaml': releaseKustomization(release),
    'base/kustomization.yaml': kustomization,
    'base/config.yaml': configMap,
  };
  const hands: Record<string, string>[] = [
    { 'kustomization.yaml': 'resources: []\n' },
    { ...whole, 'base/config.yaml': configMap.replace('claims', 'other') },
    { ...whole, 'base/extra.yaml': configMap },
    { ...whole, 'kustomization.yaml': `${releaseKustomization(release)}namePrefix: x-\n` },
    {
      ...whole,
      'kustomization.yaml': releaseKustomization(release)
        .replace('/claims/', '/web/')
        .replace('claims/', 'web/'),
    },
    {
      ...whole,
      'kustomization.yaml': releaseKustomization({
        ...release,
        change: { service: 'claims', commit: 'f'.repeat(40) },
      }),
    },
  ];
  for (const files of hands) {
    await byHand({ 'kustomization.yaml': '', 'base/extra.yaml': '', ...files });
    const seen = await read();
    expect(seen.tree).toMatch(/^[0-9a-f]{40}$/);
    expect(seen).not.toHaveProperty('change');
    expect(await write(release, seen)).toMatchObject({ state: 'written' });
    expect(await read()).toMatchObject({ change: release.change });
  }
});

test('one that a person writes while a promotion is under way is not written over', async () => {
  const release = await releaseOf(await head());
  const seen = await read();
  const theirs = await byHand({ 'kustomization.yaml': 'resources: []\n' });
  expect(await write(release, seen)).toEqual({
    state: 'refused',
    reason: `Somebody else wrote ${path} meanwhile. Look at who did, then deliver the change again.`,
  });
  expect(await disk.repository.tip()).toBe(theirs);
});

test('an older release is not written over a newer one', async () => {
  const older = await releaseOf(await head());
  const newer = await releaseOf(await disk.commit('newer', { 'services/claims/main.py': '1\n' }));
  await write(newer, await read());
  const tip = await disk.repository.tip();
  expect(await write(older, await read())).toEqual({
    state: 'refused',
    reason: `claims/${newer.change.commit} is newer and is in dev already.`,
  });
  expect(await disk.repository.tip()).toBe(tip);
});

test('promotions that share a push are each wanted for themselves: one that ends takes no other with it', async () => {
  const commit = await head();
  const { tip } = await read();
  const { promise: bothAreThere, resolve: secondIsThere } = Promise.withResolvers<void>();
  beforeAnswering.set('first', bothAreThere);
  const first = write(await releaseOf(commit), { tip }, 'first');
  await vi.waitFor(() => expect(asked).toContain('first'));
  const { repository } = disk;
  disk.repository = {
    ...repository,
    writeRelease(release) {
      const written = repository.writeRelease(release);
      secondIsThere();
      return written;
    },
  };
  const second = write(await releaseOf(commit, 'web'), { tip }, 'second');

  expect(await first).toMatchObject({ state: 'written' });
  closed.add('first');

  expect(await second).toMatchObject({ state: 'written' });
});

test('what somebody takes off the branch before it is written is not, also in the moment of the push', async () => {
  const before = await head();
  const release = await releaseOf(await disk.commit('secret', { 'services/claims/main.py': '1\n' }));
  const seen = await read();
  const gone = {
    state: 'refused',
    reason: `claims/${release.change.commit} is not on the protected branch any more: somebody rewrote it. Deliver a commit that is.`,
  };
  const rewrite = async () => {
    await disk.git('reset', '-q', '--hard', before);
    await disk.git('push', '-q', '--force', 'origin', 'main');
  };
  // Whether its delivery is open is asked last before the push.
  const { promise: rewritten, resolve: goOn } = Promise.withResolvers<void>();
  beforeAnswering.set('moment', rewritten);
  const written = write(release, seen, 'moment');
  await vi.waitFor(() => expect(asked).toContain('moment'));
  await rewrite();
  goOn();
  expect(await written).toEqual(gone);
  expect(await write(release, seen)).toEqual(gone);
  expect(await disk.repository.tip()).toBe(before);
});
