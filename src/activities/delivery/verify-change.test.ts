import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createSourceActivities } from './index.ts';
import type { SourceActivities } from '../contract.ts';

const nothingStored = { get: async () => undefined } as Partial<ObjectStore> as ObjectStore;

let disk: DiskRepository;
let activities: SourceActivities;

beforeEach(async () => {
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch\n',
    'services/web/Dockerfile': 'FROM scratch AS test\nFROM scratch\n',
    'manifests/claims/base/kustomization.yaml': 'resources: []\n',
    'manifests/platform/base/kustomization.yaml': 'resources: []\n',
  });
  const explicit = { platform: { path: 'manifests/platform', image: false } };
  const config = configuration({ services: { discover: ['services/*'], explicit } });
  activities = createSourceActivities({
    config,
    repository: disk.repository,
    sourceOf: () => disk.repository,
    objects: nothingStored,
  });
  return () => disk.remove();
});

const verify = (commit: string, service = 'claims', image?: string) =>
  activities.verifyChange({ change: { service, commit }, ...(image !== undefined && { image }) });
/** Refused for good: no other attempt would end otherwise. */
const refusal = (message: string | RegExp) => ({
  type: 'Refused',
  nonRetryable: true,
  message: expect.stringMatching(message) as string,
});

test('a commit of the branch is verified', async () => {
  const commit = await disk.commit('Refuse future dates', { 'services/claims/main.py': '1\n' });
  expect(await verify(commit)).toMatchObject({
    source: {
      position: 2,
      subject: 'Refuse future dates',
      authors: ['Dev <dev@example.com>'],
      paths: ['services/claims/main.py'],
    },
    image: 'build',
    environments: [{ name: 'dev' }, { name: 'production' }],
  });
});

test('where the end-to-end test is for other services, none follows', async () => {
  const commit = await disk.commit('web', { 'manifests/web/base/kustomization.yaml': 'resources: []\n' });
  const endToEnd = { command: ['true'], services: ['web'] };
  const config = configuration({
    services: { discover: ['services/*'] },
    environments: [{ name: 'dev', entersBy: 'push', endToEnd }],
  });
  const source = createSourceActivities({
    config,
    repository: disk.repository,
    sourceOf: () => disk.repository,
    objects: nothingStored,
  });
  const isTested = async (service: string) =>
    (await source.verifyChange({ change: { service, commit } })).environments[0]?.settings.endToEnd;
  expect([await isTested('claims'), await isTested('web')]).toEqual([false, true]);
});

test('a commit that is on no branch, or on another one, is refused', async () => {
  await expect(verify('f'.repeat(40))).rejects.toMatchObject(
    refusal(/^f{40} is not on main\. Merge it first; only commits of main are delivered\.$/),
  );
  await disk.git('checkout', '-q', '-b', 'feature');
  const side = await disk.commit('side', { 'services/claims/main.py': '2\n' });
  await expect(verify(side)).rejects.toMatchObject(refusal(/ is not on main\. Merge it first/));
});

test('a commit that a merge brought is refused, and the merge is named', async () => {
  await disk.git('checkout', '-q', '-b', 'feature');
  const side = await disk.commit('side', { 'services/claims/main.py': '2\n' });
  await disk.git('checkout', '-q', 'main');
  await disk.commit('meanwhile', { 'README.md': '\n' });
  await disk.git('merge', '-q', '--no-ff', '-m', 'Merge feature', 'feature');
  await disk.git('push', '-q', 'origin', 'main');
  const merge = await disk.git('rev-parse', 'HEAD');
  await expect(verify(side)).rejects.toMatchObject(
    refusal(new RegExp(`^${side} came to main by the merge ${merge}\\. Deliver that one\\.$`)),
  );
  expect((await verify(merge)).source.position).toBe(3);
});

test.each(['main', 'HEAD', 'HEAD^', '--upload-pack=id', 'refs/heads/main', 'a;id', '', '0'.repeat(40)])(
  '%j is no commit, whoever brings it this far',
  async (commit) => {
    await expect(verify(commit)).rejects.toMatchObject({ type: 'Refused' });
  },
);

test('a short or upper-case hash is refused, though Git would take it', async () => {
  const commit = await disk.git('rev-parse', 'HEAD');
  for (const one of [commit.slice(0, 12), commit.toUpperCase(), `${commit}0`]) {
    await expect(verify(one)).rejects.toMatchObject({ type: 'Refused' });
  }
});

test('a service that is not there is refused, with those that are, the most alike first', async () => {
  const commit = await disk.git('rev-parse', 'HEAD');
  for (const service of ['__proto__', 'constructor', '../claims', 'claimz']) {
    await expect(verify(commit, service)).rejects.toMatchObject(refusal(/ There are: \w+, \w+, \w+\. See /));
  }
  await expect(verify(commit, 'webb')).rejects.toMatchObject(
    refusal('There is no service webb. There are: web, claims, platform. See services in gitops.yaml.'),
  );
  await expect(verify(commit, 'web')).rejects.toMatchObject(
    refusal(/^manifests\/web\/base does not exist at [0-9a-f]{40}\. A service has its manifests there\.$/),
  );
});

test('a service without an image takes none', async () => {
  const commit = await disk.git('rev-parse', 'HEAD');
  expect((await verify(commit, 'platform')).image).toBe('none');
  await expect(verify(commit, 'platform', `x@sha256:${'0'.repeat(64)}`)).rejects.toMatchObject(
    refusal(/^platform has no image, so it cannot take .* Leave --image out\.$/),
  );
});

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 104857600\n`;

test.each([
  'services/claims/model.bin',
  'manifests/claims/base/data.bin',
  'manifests/claims/overlays/dev/data.bin',
])('content that Git LFS keeps elsewhere is refused by name: %s', async (path) => {
  const commit = await disk.commit('pointer', { [path]: pointer });
  await expect(verify(commit)).rejects.toMatchObject(
    refusal(`^${path} is kept by Git LFS, and belongs to claims: .*git lfs migrate export`),
  );
});

test.each(['services/claims/vendor/proto', 'manifests/claims/overlays/dev/parts', 'services/claims'])(
  'so is a submodule: %s',
  async (path) => {
    const commit = await disk.entry('160000', path, 'a'.repeat(40));
    const services = { explicit: { claims: { path: 'services/claims', image: false } } };
    const config = configuration({ services });
    const others = createSourceActivities({
      config,
      repository: disk.repository,
      sourceOf: () => disk.repository,
      objects: nothingStored,
    });
    await expect(others.verifyChange({ change: { service: 'claims', commit } })).rejects.toMatchObject(
      refusal(`^${path} is a Git submodule, and belongs to claims: .* Commit them in its place`),
    );
  },
);

test.each(['manifests/claims/base/app.yaml', 'manifests/claims/base/app'])(
  'so is a link in base/, which leads elsewhere once a release carries it: %s',
  async (path) => {
    const commit = await disk.entry('120000', path, '../../../README.md');
    await expect(verify(commit)).rejects.toMatchObject(
      refusal(`^${path} is a symbolic link: .* put what it leads to in its place\\.$`),
    );
  },
);

test('elsewhere they matter to nobody, nor does a text about Git LFS', async () => {
  await disk.entry('160000', 'vendor/proto', 'a'.repeat(40));
  await disk.entry('120000', 'services/web/link', '/etc/passwd');
  const commit = await disk.commit('elsewhere', {
    'services/web/model.bin': pointer,
    'services/claims/README.md': `A pointer looks so:\n${pointer}`,
  });
  expect((await verify(commit)).image).toBe('build');
});

test('a subject goes no further than a line of plain text', async () => {
  const subject = `\u001b[31mred\u0007 \u202eevil <!channel> ${'x'.repeat(200)}`;
  const commit = await disk.commit(subject, { 'services/claims/main.py': '1\n' });
  const [resolved] = await activities.resolveChanges({ service: 'claims', until: commit });
  for (const told of [(await verify(commit)).source.subject, resolved?.subject]) {
    expect(told).toMatch(/^ \[31mred {3}evil <!channel> x+$/);
    expect(told).toHaveLength(100);
  }
});
