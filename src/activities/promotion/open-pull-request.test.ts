import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { openRun } from '../../../test/support/open-run.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Deployed, Proposal } from '../../model/promotion/promotion.ts';
import type { Forge, PullRequest } from '../../systems/forge/index.ts';
import type { Systems } from '../systems.ts';
import { createOpenPullRequest } from './open-pull-request.ts';

const people = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { emails: [`${name}@example.com`] }]));
const config = configuration({ people: people('board-1', 'board-2', 'board-3') });

let disk: DiskRepository;
/** Of the pull request that was opened. */
let text: { title: string; body: string } | undefined;
beforeEach(async () => {
  text = undefined;
  disk = await makeDiskRepository({
    'services/claims/Dockerfile': 'FROM scratch\n',
    'manifests/claims/base/kustomization.yaml': 'resources: []\n',
  });
  return () => disk.remove();
});

/** So many commits to the service, the oldest by one person and all others by another. @returns the newest */
async function history(count: number, oldest: string, others: string): Promise<string> {
  const parent = await disk.git('rev-parse', 'HEAD');
  const commits = Array.from({ length: count }, (_, index) =>
    [
      'commit refs/heads/main',
      `author Somebody <${index === 0 ? oldest : others}@example.com> 1767225600 +0000`,
      'committer Forge <noreply@forge.example> 1767225600 +0000',
      'data 1\nx',
      ...(index === 0 ? [`from ${parent}`] : []),
      'M 100644 inline services/claims/main.py',
      `data <<END\n${oldest} ${index}\nEND\n`,
    ].join('\n'),
  );
  await disk.fastImport(commits.join('\n'));
  await disk.git('reset', '-q', '--hard', 'main');
  await disk.git('push', '-q', '--force', 'origin', 'main');
  return disk.git('rev-parse', 'HEAD');
}

/** In the object store. */
const stored = new Map<string, { body: string; etag: string }>();

/** A forge that takes what is proposed. */
const opened = async (): Promise<PullRequest> => {
  const [sha = '', branch = ''] = (await disk.git('ls-remote', 'origin', 'gitops/*')).split('\t');
  return {
    ...{ number: 1, url: 'https://forge.example/1', state: 'open', labels: ['production-release'] },
    ...{ base: 'main', head: { branch, sha, own: true }, updatedAt: '' },
    ...(text ?? expect.fail()),
  };
};
const forge: Partial<Forge> = {
  pullRequestsFrom: async () => (text ? [await opened()] : []),
  mergedAs: async () => undefined,
  async createPullRequest({ title, body }) {
    text = { title, body };
    return opened();
  },
  pullRequest: opened,
  reviews: async () => [],
};
const systems = {
  config,
  forge,
  argocd: { application: async () => undefined },
  objects: { get: async (key: string) => stored.get(key) },
  temporal: openRun,
} as unknown as Systems;

/** Proposes a commit to production, where Argo CD runs nothing that this program wrote. */
async function open(commit: string, current?: Deployed): Promise<Proposal> {
  const { repository } = disk;
  const tip = await repository.tip();
  const { openPullRequest } = createOpenPullRequest(
    { ...systems, repository, sourceOf: () => repository },
    { renderRelease: async () => expect.fail() },
  );
  const environment = 'production';
  return new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'r' } }).run(
    openPullRequest,
    {
      environment,
      release: {
        change: { service: 'claims', commit },
        source: {
          position: (await repository.position(commit)) ?? 0,
          ...{ subject: 'a change', authors: [], committedAt: '2026-01-01T00:00:00Z', paths: [] },
          base: (await repository.object(commit, 'manifests/claims/base')) ?? '',
        },
      },
      seen: { tip },
      asked: promotionSettings(config, environment).approval,
      rendered: { manifestsDigest: 'sha256:x', diff: 'diffs/x', summary: '' },
      asker: { workflowId: 'w', runId: 'r' },
      ...(current && { current }),
    },
  );
}

test('whose commit is the oldest of thousands may not approve what runs nowhere yet, and is told', async () => {
  const { authors } = await open(await history(2000, 'board-1', 'stranger'));
  expect(authors).toEqual(['stranger@example.com', 'board-1', 'dev@example.com']);
  expect(text?.body).toContain('where nothing is known to run');
  expect(text?.body).toContain('It waits for 2 of `board-2`, `board-3` (its authors may not: `board-1`).');
  expect(text?.body).toContain('- and 1951 older ones');
});

/** As the environment remembers it. */
const promoted = (commit: string): Deployed => ({
  change: { service: 'claims', commit },
  ...{ position: 1, revision: commit, at: '2026-01-01T00:00:00Z' },
});

test('who wrote to the overlay since the change wrote a part of what would run, and may not approve it', async () => {
  const commit = await history(1, 'stranger', '');
  await disk.fastImport(
    [
      'commit refs/heads/main',
      'author Somebody <board-1@example.com> 1767225600 +0000',
      'committer Forge <noreply@forge.example> 1767225600 +0000',
      'data 1\nx',
      `from ${commit}`,
      'M 100644 inline manifests/claims/overlays/production/patch.yaml',
      'data 2\n{}',
    ].join('\n'),
  );
  await disk.git('reset', '-q', '--hard', 'main');
  await disk.git('push', '-q', '--force', 'origin', 'main');
  expect((await open(commit)).authors).toContain('board-1');
});

test('what was promoted last, but is in the repository no more, hides nobody’s commit', async () => {
  const commit = await history(3, 'board-1', 'stranger');
  expect((await open(commit, promoted('f'.repeat(40)))).authors).toContain('board-1');
});

test('who wrote nothing since what was promoted last may approve, however much came since', async () => {
  const own = await history(1, 'board-1', '');
  const commit = await history(300, 'board-2', 'stranger');
  expect((await open(commit, promoted(own))).authors).toEqual(['stranger@example.com', 'board-2']);
});

test('where too few of those who decide wrote none of it, nobody is asked', async () => {
  await expect(open(await history(2, 'board-1', 'board-2'))).rejects.toMatchObject({
    type: 'Refused',
    message:
      '2 must approve, but of those who decide only board-3 wrote none of it (commits: 3). Name more people in gitops.yaml.',
  });
  expect(text).toBeUndefined();
});

test('who decides is told what the change brings along that was rejected before', async () => {
  const rejected = await disk.commit('Raise prices', { 'services/claims/prices.txt': '2\n' });
  const newest = await disk.commit('Mend dates', { 'services/claims/dates.txt': '1\n' });
  const reason = 'board-1 rejected it: prices are not final';
  const record = { environments: { dev: { state: 'succeeded' }, production: { state: 'rejected', reason } } };
  stored.set(`deliveries/claims/${rejected}.json`, { body: JSON.stringify(record), etag: '' });
  stored.set(`deliveries/claims/${newest}.json`, { body: 'not what this program writes', etag: '' });
  const { rendered } = await open(newest);
  expect(rendered?.summary).toBe(
    `Brings along what was rejected here before: ${rejected.slice(0, 10)} (${reason}). `,
  );
  expect(text?.body).toContain('`Raise prices` (`Dev`) **was rejected here before**');
  expect(text?.body).not.toContain('`Mend dates` (`Dev`) **was');
});
