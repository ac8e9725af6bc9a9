import { beforeEach, expect, test, vi } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { MemoryForge } from '../../../test/support/memory-forge.ts';
import { promotionBranch } from '../../model/promotion/promotion-branch.ts';
import { pullRequestNews } from '../../model/delivery/repository-poll.ts';
import { GitError } from '../../systems/git/index.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createRepositoryPollActivities } from './repository-poll.ts';

const commit = 'a'.repeat(40);
const tip = 'b'.repeat(40);
const head = { branch: promotionBranch('staging', { service: 'api', commit }), sha: commit, own: true };

const source = { repository: 'https://forge.example/team/api.git' };
const sources = { 'https://forge.example/team/api.git#main': 'c'.repeat(40) };

let sourceTip: () => string;
let stored: string | undefined;
let forge: MemoryForge;
let poll: ReturnType<typeof createRepositoryPollActivities>;

beforeEach(() => {
  stored = undefined;
  sourceTip = () => 'c'.repeat(40);
  forge = new MemoryForge();
  const objects: ObjectStore = {
    list: async () => [],
    get: async () => (stored === undefined ? undefined : { body: stored, etag: stored }),
    put: async (_, body, { ifMatch, ifAbsent } = {}) => {
      if (ifMatch !== undefined && ifMatch !== stored) return false;
      if (ifAbsent && stored !== undefined) return false;
      stored = body;
      return true;
    },
  };
  poll = createRepositoryPollActivities({
    config: configuration({ services: { explicit: { api: { path: '.', source } } } }),
    repository: { tip: async () => tip },
    sourceOf: () => ({ tip: async () => sourceTip() }),
    forge,
    objects,
  });
});

const newsNow = async () => {
  const { before, now } = await poll.lookAtRepository();
  await poll.rememberRepository({ ...(before && { before }), now });
  return pullRequestNews(before?.pullRequests ?? {}, now.pullRequests).map(({ number }) => number);
};

test('only promotions of this repository are looked at', async () => {
  forge.add({ head });
  forge.add({ head: { ...head, own: false } });
  forge.add({ head: { ...head, branch: 'feature' } });

  expect((await poll.lookAtRepository()).now).toEqual({
    tip,
    sources,
    pullRequests: { 1: { environment: 'staging', service: 'api', updatedAt: '2026-01-01T00:00:00Z' } },
  });
});

test('a pull request is news once for each change', async () => {
  const pull = forge.add({ head });
  expect(await newsNow()).toEqual([1]);
  expect(await newsNow()).toEqual([]);

  pull.updatedAt = '2026-01-01T00:00:01Z';
  expect(await newsNow()).toEqual([1]);
  expect(await newsNow()).toEqual([]);

  pull.state = 'closed';
  expect(await newsNow()).toEqual([1]);
  expect(await newsNow()).toEqual([]);
});

test('one that changed a moment ago is news once more', async () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:01Z'), toFake: ['Date'] });
  forge.add({ head, updatedAt: '2026-01-01T00:00:00Z' });
  expect(await newsNow()).toEqual([1]);
  vi.setSystemTime('2026-01-01T00:05:00Z');
  expect(await newsNow()).toEqual([1]);
  expect(await newsNow()).toEqual([]);
  vi.useRealTimers();
});

test('of two looks at once, the first to end is remembered', async () => {
  const early = await poll.lookAtRepository();
  forge.add({ head });
  const late = await poll.lookAtRepository();

  await poll.rememberRepository(late);
  await poll.rememberRepository(early);

  expect((await poll.lookAtRepository()).before).toEqual(late.now);
});

test('the repository of a source that cannot be read is told, and keeps nobody from other news', async () => {
  await newsNow();
  forge.add({ head });
  sourceTip = () => {
    throw new GitError('forbidden', 'The token may not read it.');
  };
  const { now, unread } = await poll.lookAtRepository();
  expect({ now, unread }).toMatchObject({
    now: { sources, pullRequests: { 1: {} } },
    unread: ['The token may not read it.'],
  });
});
