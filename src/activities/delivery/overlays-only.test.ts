import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { Deployed } from '../../model/promotion/promotion.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createVerifyChange } from './verify-change.ts';

const image = { name: 'registry.example/team/claims', digest: `sha256:${'d'.repeat(64)}` };
const overlay = (environment: string, replicas: number) => ({
  [`manifests/claims/overlays/${environment}/kustomization.yaml`]: `resources: [release]\nreplicas: [{ name: claims, count: ${replicas} }]\n`,
});

let disk: DiskRepository;
/** What lies in each environment. */
let released: Map<string, Deployed>;
let first: string;
beforeEach(async () => {
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch AS test\nFROM scratch\n',
    'manifests/claims/base/kustomization.yaml': 'resources: []\n',
    ...overlay('dev', 1),
    ...overlay('production', 1),
  });
  first = await disk.git('rev-parse', 'HEAD');
  released = new Map();
  for (const environment of ['dev', 'production']) await release(environment, first);
  return () => disk.remove();
});

/** Writes what a promotion writes, and remembers it. @param revision commit that brought it there */
async function release(environment: string, commit: string, revision?: string): Promise<void> {
  const change = { service: 'claims', commit };
  const folder = `manifests/claims/overlays/${environment}/release`;
  const written = await disk.commit('release', {
    [`${folder}/base/kustomization.yaml`]: 'resources: []\n',
    [`${folder}/kustomization.yaml`]: releaseKustomization({ change, image }),
    'count.txt': `${(count += 1)}`,
  });
  const at = '2026-01-01T00:00:00Z';
  released.set(environment, { change, position: 1, revision: revision ?? written, image, at });
}
let count = 0;

/** @returns the steps that a delivery of it takes */
async function stepsOf(commit: string, given?: string, environments?: object[]): Promise<string[]> {
  const config = configuration(environments ? { environments } : {});
  const objects = {
    async get(key: string) {
      const [, current] =
        [...released].find(([environment]) => objectKeys.environment(environment, 'claims') === key) ?? [];
      return current && { body: JSON.stringify({ current }), etag: 'x' };
    },
  } as Partial<ObjectStore> as ObjectStore;
  const { verifyChange } = createVerifyChange({
    config,
    repository: disk.repository,
    sourceOf: () => disk.repository,
    objects,
  });
  const change = { service: 'claims', commit };
  const plan = await verifyChange({ change, ...(given !== undefined && { image: given }) });
  return [
    ...(plan.test ? ['test'] : []),
    ...(plan.image === 'none' ? [] : [plan.image]),
    ...plan.environments.map(({ name, onto, settings }) =>
      onto ? `${name} ${settings.entersBy} onto ${onto.commit}` : name,
    ),
  ];
}

const all = ['test', 'build', 'dev', 'production'];

test('a change of one overlay goes to its environment alone, and nothing is tested or built', async () => {
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual([`production overlay onto ${first}`]);
});

test('a change of several overlays goes to theirs, in the order of the way', async () => {
  const commit = await disk.commit('replicas', { ...overlay('production', 3), ...overlay('dev', 2) });
  expect(await stepsOf(commit)).toEqual([`dev overlay onto ${first}`, `production overlay onto ${first}`]);
});

test('what an earlier commit changed of another overlay goes along, unless it is there already', async () => {
  const dev = await disk.commit('dev', overlay('dev', 2));
  const commit = await disk.commit('production', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual([`dev overlay onto ${first}`, `production overlay onto ${first}`]);
  await release('dev', first, dev);
  expect(await stepsOf(commit)).toEqual([`production overlay onto ${first}`]);
});

test('delivered again, it goes there again: nobody knows whether it got healthy', async () => {
  const commit = await disk.commit('three replicas', overlay('production', 3));
  await release('production', first, commit);
  expect(await stepsOf(commit)).toEqual([`production overlay onto ${first}`]);
});

test('whoever gives an image wants it released', async () => {
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit, `${image.name}@${image.digest}`)).toEqual([
    ...['test', 'given', 'dev', 'production'],
  ]);
});

test.each([
  ['the code as well', { 'services/claims/main.py': '1\n' }],
  ['base/ as well', { 'manifests/claims/base/kustomization.yaml': 'resources: [app.yaml]\n' }],
  ['the folder of an environment that is not configured', overlay('qa', 1)],
  ['a file beside the overlays', { 'manifests/claims/overlays/README.md': 'Overlays\n' }],
])('a change of %s goes the whole way', async (_, files) => {
  const commit = await disk.commit('more', { ...overlay('production', 3), ...files });
  expect(await stepsOf(commit)).toEqual(all);
});

test('so does one where the code on the branch is another than what is released', async () => {
  await disk.commit('code', { 'services/claims/main.py': '1\n' });
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual(all);
});

test('so does the overlay of an environment where nothing is released yet', async () => {
  released.delete('production');
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual(all);
});

test('so does one whose releases somebody rewrote away', async () => {
  await release('production', 'f'.repeat(40));
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual(all);
});

test('so does one while another environment runs what somebody took off the branch', async () => {
  const gone = await disk.commit('taken back', { 'services/claims/main.py': '1\n' });
  await release('dev', gone);
  await disk.git('reset', '-q', '--hard', first);
  await disk.git('push', '-q', '--force', 'origin', 'HEAD');
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual(all);
});

test('one of dev does not take along what waits before production: that is on its way by itself', async () => {
  const code = await disk.commit('code', { 'services/claims/main.py': '1\n' });
  await release('dev', code);
  const commit = await disk.commit('replicas', overlay('dev', 2));
  expect(await stepsOf(commit)).toEqual([`dev overlay onto ${code}`]);
});

test('so does one to where a review of a pull request has to let it in, since there is none', async () => {
  const environments = [
    { name: 'dev', entersBy: 'push' },
    { name: 'production', approval: 'review', sync: 'manual' },
  ];
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit, undefined, environments)).toEqual(all);
});

test('what another service has in that place is nothing to it', async () => {
  await disk.commit('web', { 'services/web/Dockerfile': 'FROM scratch\n' });
  const commit = await disk.commit('three replicas', overlay('production', 3));
  expect(await stepsOf(commit)).toEqual([`production overlay onto ${first}`]);
});
