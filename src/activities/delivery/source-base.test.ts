import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { readRelease } from '../promotion/read-release.ts';
import { bringBase } from '../promotion/release-base.ts';
import type { Systems } from '../systems.ts';
import { createVerifyChange } from './verify-change.ts';

/** The source of `claims` lies in a repository of its own, and its base with it. */
const source = { repository: 'https://forge.example/team/claims.git', base: 'deploy/base' };
const config = configuration({ services: { explicit: { claims: { path: 'app', source } } } });
const path = 'manifests/claims/overlays/dev/release';
const text = 'resources: [app.yaml]\n';

let manifests: DiskRepository;
let app: DiskRepository;
let systems: Systems;
beforeEach(async () => {
  manifests = await makeDiskRepository({
    'manifests/claims/overlays/dev/kustomization.yaml': 'resources: [release]\n',
  });
  app = await makeDiskRepository({
    'app/Dockerfile': 'FROM scratch\n',
    'deploy/base/kustomization.yaml': text,
    'deploy/base/parts/more.yaml': 'x: 1\n',
  });
  const sourceOf = (service: string) => (service === 'claims' ? app : manifests).repository;
  const objects = { get: async () => undefined };
  systems = { config, repository: manifests.repository, sourceOf, objects } as unknown as Systems;
  return async () => void (await Promise.all([manifests.remove(), app.remove()]));
});

const verify = (commit: string) =>
  createVerifyChange(systems).verifyChange({ change: { service: 'claims', commit } });

/** Writes the release of a commit as a promotion does. */
async function write(commit: string) {
  const change = { service: 'claims', commit };
  const { source: verified } = await verify(commit);
  const seen = await readRelease(systems, { environment: 'dev', service: 'claims' });
  await bringBase(systems, { change, source: verified });
  return manifests.repository.writeRelease({
    ...{ branch: 'main', path, base: verified.base },
    kustomization: releaseKustomization({ change, source: verified }),
    expectedTree: seen.tree,
    message: 'release',
    stillWanted: async () => true,
  });
}

test('a change of base/ is one of the source, and the release carries it over to the manifests', async () => {
  const commit = await app.commit('More', { 'deploy/base/parts/more.yaml': 'x: 2\n' });
  expect((await verify(commit)).source).toMatchObject({
    base: await app.git('rev-parse', `${commit}:deploy/base`),
    manifests: await manifests.git('rev-parse', 'HEAD'),
    paths: ['deploy/base/parts/more.yaml'],
  });

  expect(await write(commit)).toMatchObject({ state: 'written' });
  await manifests.git('pull', '-q', 'origin', 'main');
  expect(await manifests.git('show', `HEAD:${path}/base/parts/more.yaml`)).toBe('x: 2');
  expect(await readRelease(systems, { environment: 'dev', service: 'claims' })).toMatchObject({
    change: { service: 'claims', commit },
  });
});

test('a release that holds another base than its commit is not ours', async () => {
  const commit = await app.git('rev-parse', 'HEAD');
  await write(commit);
  await manifests.git('pull', '-q', 'origin', 'main');
  await manifests.commit('by hand', { [`${path}/base/parts/more.yaml`]: 'x: forged\n' });
  const { tree, change } = await readRelease(systems, { environment: 'dev', service: 'claims' });
  expect([typeof tree, change]).toEqual(['string', undefined]);
});

test('a base that the configuration has elsewhere by now is not written in the place of the one that was verified', async () => {
  const commit = await app.git('rev-parse', 'HEAD');
  const { source: verified } = await verify(commit);
  const moved = { ...source, base: 'deploy/base/parts' };
  systems = {
    ...systems,
    config: configuration({ services: { explicit: { claims: { path: 'app', source: moved } } } }),
  };
  await expect(
    bringBase(systems, { change: { service: 'claims', commit }, source: verified }),
  ).rejects.toThrow('claims has its base elsewhere by now (deploy/base/parts). Deliver the change again.');
});

test('a base that is not there, or leads elsewhere, is told by its place', async () => {
  const linked = await app.entry('120000', 'deploy/base/app.yaml', '/etc/passwd');
  await expect(verify(linked)).rejects.toThrow(/^deploy\/base\/app\.yaml is a symbolic link/);
  await app.git('rm', '-q', '-r', '--cached', 'deploy');
  const gone = await app.commit('no base', { 'app/more': '' });
  await expect(verify(gone)).rejects.toThrow(`deploy/base does not exist at ${gone}.`);
});
