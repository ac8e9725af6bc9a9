import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { openRun } from '../../../test/support/open-run.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Change, Image } from '../../model/delivery/change.ts';
import type { Deployed, Proposal } from '../../model/promotion/promotion.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { errorText } from '../../systems/system-error.ts';
import type { Systems } from '../systems.ts';
import { createOpenPullRequest } from '../promotion/open-pull-request.ts';
import { readRelease } from '../promotion/read-release.ts';
import { refuseGone } from '../promotion/refuse-gone.ts';
import { createSyncActivities } from '../sync/start-sync.ts';
import { createSourceActivities } from './index.ts';

/** `claims` has its source in a repository of its own; `web` lies beside the manifests. */
const config = configuration({
  services: {
    discover: ['services/*'],
    ignore: ['**/*.md'],
    explicit: {
      claims: { path: '.', source: { repository: 'https://forge.example/team/claims.git', branch: 'trunk' } },
    },
  },
  people: {
    'board-1': { emails: ['board-1@example.com'] },
    'board-2': {},
    'board-3': { emails: ['dev@example.com'] },
    'board-4': {},
  },
});

const base = 'manifests/claims/base';
let manifests: DiskRepository;
let source: DiskRepository;
let systems: Systems;

beforeEach(async () => {
  manifests = await makeDiskRepository({
    'services/web/Dockerfile': 'FROM scratch\n',
    'manifests/web/base/kustomization.yaml': 'resources: []\n',
    [`${base}/kustomization.yaml`]: 'resources: []\n',
  });
  source = await makeDiskRepository({ Dockerfile: 'FROM scratch AS test\nFROM scratch\n' });
  const { repository } = manifests;
  systems = {
    config,
    repository,
    sourceOf: (service: string) => (service === 'claims' ? source.repository : repository),
    argocd: { application: async () => undefined },
    objects: { get: async () => undefined },
    temporal: openRun,
  } as unknown as Systems;
  return async () => void (await Promise.all([manifests.remove(), source.remove()]));
});

const activities = () => createSourceActivities(systems);
const verify = (commit: string) => activities().verifyChange({ change: { service: 'claims', commit } });
const resolve = async (input: { since?: string; until?: string; service?: string }) =>
  (await activities().resolveChanges(input)).map(
    ({ change: { service, commit }, again }) => `${service} ${commit}${again ? ' again' : ''}`,
  );
const tipOf = (disk: DiskRepository) => disk.git('rev-parse', 'HEAD');

/** As a promotion writes it, whoever does. @returns the commit */
async function writeRelease(
  change: Change,
  of: string | undefined,
  { environment = 'dev', from = 'HEAD', image }: { environment?: string; from?: string; image?: Image } = {},
): Promise<string> {
  const release = `manifests/claims/overlays/${environment}/release`;
  return manifests.commit('release', {
    [`${release}/base/kustomization.yaml`]: `${await manifests.git('show', `${from}:${base}/kustomization.yaml`)}\n`,
    [`${release}/kustomization.yaml`]: releaseKustomization({
      change,
      ...(of !== undefined && { source: { manifests: of } }),
      ...(image && { image }),
    }),
  });
}

test('a change is a commit of the source, its base that of the commit that changed the manifests last', async () => {
  const changed = await manifests.commit('More', { [`${base}/kustomization.yaml`]: 'resources: []\n\n' });
  await manifests.commit('Elsewhere', { 'services/web/main.js': '1\n' });
  const commit = await source.commit('Refuse future dates', { 'main.py': '1\n' });
  const plan = await verify(commit);
  expect(plan).toMatchObject({
    source: {
      position: 2,
      subject: 'Refuse future dates',
      paths: ['main.py'],
      manifests: changed,
      base: await manifests.git('rev-parse', `${changed}:${base}`),
    },
    test: true,
  });

  // What promotions write changes nobody's manifests.
  await writeRelease({ service: 'claims', commit }, changed);
  expect((await verify(commit)).source).toEqual(plan.source);
  await expect(verify(changed)).rejects.toMatchObject({
    message: `${changed} is not on trunk. Merge it first; only commits of trunk are delivered.`,
  });
});

test('what is missing is looked for in both', async () => {
  const linked = await source.entry('120000', `${base}/app.yaml`, '/etc/passwd');
  expect((await verify(linked)).source.position).toBe(2);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1\n`;
  const commit = await source.commit('model', { 'model.bin': pointer });
  await expect(verify(commit)).rejects.toMatchObject({
    message: expect.stringMatching(/^model\.bin is kept by Git LFS/),
  });
  await manifests.entry('120000', `${base}/app.yaml`, '../../../README.md');
  await expect(verify(linked)).rejects.toMatchObject({
    message: expect.stringMatching(/^manifests\/claims\/base\/app\.yaml is a symbolic link/),
  });
});

test('what changed since a commit is asked of the repository that has it', async () => {
  const first = await tipOf(source);
  const started = await tipOf(manifests);
  await source.commit('words', { 'README.md': 'x\n' });
  expect(await resolve({ since: first })).toEqual([]);
  const commit = await source.commit('code', { 'main.py': '1\n' });
  await source.commit('words', { 'README.md': 'y\n' });
  expect(await resolve({ since: first })).toEqual([`claims ${commit}`]);
  expect(await resolve({ service: 'claims', until: commit })).toEqual([`claims ${commit}`]);
  expect(await resolve({ until: commit })).toEqual([`claims ${commit}`]);
  expect(await resolve({})).toEqual([`web ${started}`, `claims ${await tipOf(source)}`]);

  // Manifests are no commit of the source: its newest is delivered again, with them.
  const since = await manifests.commit('nothing', { 'README.md': 'x\n' });
  const web = await manifests.commit('both', {
    [`${base}/kustomization.yaml`]: 'resources: []\n\n',
    'services/web/main.js': '1\n',
  });
  expect(await resolve({ since })).toEqual([`web ${web}`, `claims ${commit} again`]);
  const change = { service: 'claims', commit };
  await writeRelease(change, web);
  await writeRelease(change, since, { environment: 'production' });
  expect(await resolve({ since })).toEqual([`web ${web}`, `claims ${commit} again`]);
  await writeRelease(change, web, { environment: 'production' });
  expect(await resolve({ since })).toEqual([`web ${web}`]);
});

test('a release is ours that names the commit that its base is of', async () => {
  const read = () => readRelease(systems, { environment: 'dev', service: 'claims' });
  const commit = await tipOf(source);
  const change = { service: 'claims', commit };
  const before = await tipOf(manifests);
  await writeRelease(change, before);
  expect((await read()).change).toEqual(change);
  const after = await manifests.commit('More', { [`${base}/kustomization.yaml`]: 'resources: []\n\n' });
  await writeRelease(change, before);
  expect((await read()).change).toBeUndefined();
  await writeRelease(change, after);
  expect((await read()).change).toEqual(change);
});

test('what is synced holds the base of the very commit that the change was verified with', async () => {
  const commit = await tipOf(source);
  const change = { service: 'claims', commit };
  const old = await tipOf(manifests);
  const verified = await manifests.commit('More', { [`${base}/kustomization.yaml`]: 'resources: []\n\n' });
  const image = { name: 'registry.example/team/claims', digest: `sha256:${'a'.repeat(64)}` };
  const release = { change, image, source: (await verify(commit)).source };
  const built = { change: `claims/${commit}`, ...image, builtAt: '' };
  const syncing = createSyncActivities(
    {
      ...systems,
      objects: { get: async () => ({ body: JSON.stringify(built), etag: '1' }) },
      argocd: {
        terminate: async () => undefined,
        async *changes() {
          yield { unreachable: 'as is wanted here' };
        },
      },
    } as unknown as Systems,
    '/nonexistent',
  );
  const sync = async (revision: string): Promise<unknown> => {
    const input = { environment: 'production', service: 'claims', release, revision };
    const run = { workflowExecution: { workflowId: 'w', runId: 'r' } };
    const asked = { ...input, operationId: 'o', asker: { workflowId: 'w', runId: 'r' } };
    const outcome = new MockActivityEnvironment(run).run(() => syncing.startSync(asked));
    return outcome.catch((error: unknown) => errorText(error));
  };
  const refusal = (reason: string) => ({
    state: 'refused',
    reason: expect.stringContaining(reason) as string,
  });

  const write = (of: string, from: string) =>
    writeRelease(change, of, { environment: 'production', from, image });
  expect(await sync(await write(verified, verified))).toBe('Waits for the cluster (as is wanted here).');
  expect(await sync(await write(verified, old))).toEqual(refusal('holds other manifests than'));
  const taken = await write(verified, verified);
  await manifests.git('revert', '--no-edit', 'HEAD');
  await manifests.git('push', '-q', 'origin', 'HEAD');
  expect(await sync(taken)).toEqual(refusal('holds another release on the protected branch by now'));
  expect(await sync(await write(old, old))).toEqual(refusal('is not the release of'));
  expect(
    await sync(await writeRelease(change, undefined, { environment: 'production', from: verified, image })),
  ).toEqual(refusal('is not the release of'));

  // Somebody took it off the branch of its source while its sync waited.
  const written = await write(verified, verified);
  await source.git('commit', '-q', '--amend', '-m', 'Another');
  await source.git('push', '-q', '--force', 'origin', 'HEAD');
  expect(await sync(written)).toEqual(refusal('is not on the protected branch of its source any more'));
  await source.git('push', '-q', '--force', 'origin', `${commit}:refs/heads/main`);

  // Pushed to another branch, and never to this one.
  await manifests.git('checkout', '-q', '-b', 'aside');
  const aside = await manifests.commit('Evil', {
    [`${base}/kustomization.yaml`]: 'resources: [evil.yaml]\n',
  });
  await manifests.git('checkout', '-q', 'main');
  release.source.manifests = aside;
  expect(await sync(await write(aside, aside))).toEqual(refusal('which is not on the protected branch'));
});

test('neither the change nor its manifests may have gone from their branches', async () => {
  const commit = await source.commit('code', { 'main.py': '1\n' });
  const more = await manifests.commit('More', { [`${base}/more.yaml`]: '\n' });
  const change = { service: 'claims', commit };
  const release = { change, source: (await verify(commit)).source };
  const gone = async () => refuseGone(systems, release, await manifests.repository.tip());
  expect(await gone()).toBeUndefined();
  await manifests.git('reset', '-q', '--hard', 'HEAD~1');
  await manifests.git('push', '-q', '--force', 'origin', 'main');
  expect(await gone()).toMatch(`${more}, of which claims/${commit} has its manifests, is not on`);
  await source.git('reset', '-q', '--hard', 'HEAD~1');
  await source.git('push', '-q', '--force', 'origin', 'main');
  expect(await gone()).toMatch(`claims/${commit} is not on the protected branch any more`);
});

test('whoever wrote either since what runs may not decide', async () => {
  const write = async (disk: DiskRepository, name: string, files: Record<string, string>) => {
    await disk.commit('change', files);
    await disk.git('commit', '-q', '--amend', '--no-edit', `--author=Somebody <${name}@example.com>`);
    await disk.git('push', '-q', '--force', 'origin', 'HEAD');
    return tipOf(disk);
  };
  const old = await write(source, 'old-coder', { 'main.py': '0\n' });
  const oldManifests = await write(manifests, 'old-operator', { [`${base}/a.yaml`]: '\n' });
  const commit = await write(source, 'coder', { 'main.py': '1\n' });
  await write(manifests, 'board-1', { [`${base}/b.yaml`]: '\n' });
  const release = { change: { service: 'claims', commit }, source: (await verify(commit)).source };
  // Beside the release, after the change was verified.
  await write(manifests, 'overlayer', { 'manifests/claims/overlays/production/kustomization.yaml': '{}\n' });
  await write(manifests, 'stranger', { 'services/web/main.js': '1\n' });

  const people = async (current?: Deployed) => {
    const pull = async () => {
      const [sha = '', branch = ''] = (await manifests.git('ls-remote', 'origin', 'gitops/*')).split('\t');
      return {
        number: 1,
        url: '',
        state: 'open',
        title: '',
        body: '',
        base: 'main',
        head: { branch, sha, own: true },
        labels: [],
      };
    };
    let isOpen = false;
    const forge = {
      pullRequestsFrom: async () => (isOpen ? [await pull()] : []),
      mergedAs: async () => undefined,
      createPullRequest: () => ((isOpen = true), pull()),
      pullRequest: pull,
      reviews: async () => [],
      updatePullRequest: async () => undefined,
      addLabel: async () => undefined,
    };
    const { openPullRequest } = createOpenPullRequest({ ...systems, forge } as unknown as Systems, {
      renderRelease: async () => expect.fail(),
    });
    const run = { workflowExecution: { workflowId: 'w', runId: 'r' } };
    const asked = {
      ...{ environment: 'production', release, seen: { tip: await manifests.repository.tip() } },
      asked: promotionSettings(config, 'production').approval,
      rendered: { manifestsDigest: 'sha256:x', diff: 'diffs/x', summary: '' },
      asker: { workflowId: 'w', runId: 'r' },
      ...(current && { current }),
    };
    const proposal: Proposal = await new MockActivityEnvironment(run).run(() => openPullRequest(asked));
    return new Set(proposal.authors);
  };
  const current = {
    change: { service: 'claims', commit: old },
    ...{ position: 2, revision: old, at: '2026-01-01T00:00:00Z' },
  };
  const since = ['coder@example.com', 'board-1', 'overlayer@example.com'];
  expect(await people({ ...current, manifests: oldManifests })).toEqual(new Set(since));
  // Of what is not known to run everybody's count, whichever side is not known.
  const operators = ['old-operator@example.com', 'board-3'];
  expect(await people(current)).toEqual(new Set([...since, ...operators]));
  expect(await people({ ...current, manifests: 'f'.repeat(40) })).toEqual(new Set([...since, ...operators]));
  expect(await people()).toEqual(new Set([...since, ...operators, 'old-coder@example.com']));
});
