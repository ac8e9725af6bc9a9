import { expect, test } from 'vitest';
import { MemoryForge } from '../../../test/support/memory-forge.ts';
import { oneAtATime } from '../concurrency/one-at-a-time.ts';
import { ForgeError } from './index.ts';
import { ensurePullRequest, type WantedPullRequest } from './ensure-pull-request.ts';

const wanted: WantedPullRequest = {
  branch: 'branch',
  head: 'head',
  base: 'main',
  title: 'title',
  body: 'body',
  label: 'production-release',
  released: false,
  stillWanted: () => Promise.resolve(true),
};
const open = (forge: MemoryForge) => forge.pulls.filter(({ state }) => state === 'open');

test('in turn, a pull request is opened once, however many ask at the same time', async () => {
  const forge = new MemoryForge();

  const found = await Promise.all(
    Array.from({ length: 8 }, () => oneAtATime('branch', () => ensurePullRequest(forge, wanted))),
  );

  expect(forge.pulls).toMatchObject([
    { title: 'title', body: 'body', base: 'main', labels: ['production-release'] },
  ]);
  expect(new Set(found.map((pull) => pull?.number))).toEqual(new Set([1]));
});

test('what other processes opened at the same time is closed, and the lowest number stays', async () => {
  const forge = new MemoryForge();
  for (let many = 0; many < 4; many += 1) forge.add({});

  const found = await ensurePullRequest(forge, wanted);

  expect(found?.number).toBe(1);
  expect(open(forge)).toHaveLength(1);
  expect(forge.pulls[3]?.body).toContain('#1');
});

test('title and text that somebody changed are put right', async () => {
  const forge = new MemoryForge();
  forge.add({ title: 'closes #1', labels: ['production-release'] });

  await ensurePullRequest(forge, wanted);

  expect(forge.pulls).toMatchObject([{ title: 'title', body: 'body', labels: ['production-release'] }]);
});

test('one that somebody merged meanwhile is the one', async () => {
  const forge = new MemoryForge();
  forge.add({ state: 'merged', revision: 'r' });

  expect(await ensurePullRequest(forge, wanted)).toMatchObject({ number: 1, revision: 'r' });
  expect(forge.pulls).toHaveLength(1);
});

test('what the base holds already is led back to the pull request that brought it', async () => {
  const forge = new MemoryForge();
  forge.add({ state: 'merged', revision: 'on-main', head: { branch: 'branch', sha: 'gone', own: true } });

  const found = await ensurePullRequest(forge, { ...wanted, head: 'on-main', released: true });

  expect(found?.number).toBe(1);
});

test('what the base holds by no pull request is proposed by none', async () => {
  const forge = new MemoryForge();

  await expect(ensurePullRequest(forge, { ...wanted, released: true })).rejects.toMatchObject({
    kind: 'missing',
  });
  expect(forge.pulls).toEqual([]);
});

test('one that was closed in an earlier promotion is not', async () => {
  const forge = new MemoryForge();
  forge.add({ state: 'closed' });

  expect(await ensurePullRequest(forge, wanted)).toMatchObject({ number: 2, state: 'open' });
});

test('a promotion that nobody wants any more opens nothing', async () => {
  const forge = new MemoryForge();

  expect(await ensurePullRequest(forge, { ...wanted, stillWanted: () => Promise.resolve(false) })).toBe(
    undefined,
  );
  expect(forge.pulls).toEqual([]);
});

test('a forge that does not know the branch yet is asked again, and believed in the end', async () => {
  const forge = new MemoryForge();
  const create = forge.createPullRequest.bind(forge);
  let hides = 1;
  forge.createPullRequest = async (text) => {
    hides -= 1;
    if (hides >= 0) throw new ForgeError('missing', 'Not Found.');
    return create(text);
  };
  expect(await ensurePullRequest(forge, wanted)).toMatchObject({ number: 1 });

  hides = Infinity;
  await expect(ensurePullRequest(forge, { ...wanted, branch: 'other' }, 0)).rejects.toMatchObject({
    kind: 'missing',
    lasting: true,
  });
});

test('a forge that has not seen the push yet is waited for', async () => {
  const forge = new MemoryForge();
  const pull = forge.add({ head: { branch: 'branch', sha: 'old', own: true } });
  setTimeout(() => (pull.head.sha = 'head'), 300);

  expect(await ensurePullRequest(forge, wanted)).toMatchObject({ head: { sha: 'head' } });
});
