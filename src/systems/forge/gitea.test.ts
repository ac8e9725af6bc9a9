import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createGiteaForge } from './gitea.ts';
import type { Forge, ForgeError } from './index.ts';

interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** What a Gitea that no test can bring about answers: its own is asked in test/forge.test.ts. */
let answer: (url: URL) => Answer;
let forge: Forge;
let close: () => void;

beforeEach(async () => {
  const server = createServer((incoming, outgoing) => {
    const { status = 200, body, headers } = answer(new URL(incoming.url ?? '', 'http://gitea'));
    outgoing.writeHead(status, headers);
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  forge = createGiteaForge({ url, owner: 'team', name: 'platform', token: () => 'secret-token' });
  close = () => server.close();
});
afterEach(() => close());

const sha = 'a'.repeat(40);
const pull = (number: number) => ({
  number,
  html_url: `http://gitea/team/platform/pulls/${number}`,
  title: 'title',
  body: '',
  state: 'open',
  merged: false,
  updated_at: '2026-01-01T00:00:00Z',
  base: { ref: 'main', repo_id: 1 },
  head: { label: 'branch', sha, repo_id: 1 },
});

const errorOf = (work: Promise<unknown>): Promise<ForgeError> =>
  work.then(
    () => expect.unreachable('It did not fail.'),
    (error: unknown) => error as ForgeError,
  );

/** As a Gitea whose `MAX_RESPONSE_ITEMS` is so low. */
const paged = (all: unknown[], most: number) => (url: URL) => {
  const page = Number(url.searchParams.get('page'));
  return all.slice((page - 1) * most, page * most);
};

test.each([1, 3, 50])('all open pull requests are read when a page holds %i', async (most) => {
  const all = Array.from({ length: 7 }, (_, index) => pull(index + 1));
  const pages = paged(all, most);
  answer = (url) => ({ body: pages(url) });
  expect((await forge.openPullRequests()).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a list that is not paged is read once', async () => {
  answer = () => ({ body: [pull(1), pull(2)] });
  expect((await forge.openPullRequests()).map(({ number }) => number)).toEqual([1, 2]);
});

test('what Gitea counts is not asked for beyond its end', async () => {
  let asked = 0;
  const pages = paged([pull(1), pull(2), pull(3)], 2);
  answer = (url) => {
    asked += 1;
    return { body: pages(url), headers: { 'x-total-count': '3' } };
  };
  expect(await forge.openPullRequests()).toHaveLength(3);
  expect(asked).toBe(2);
});

test('the word of an account that is gone, or of none, is nobody’s; a person’s beside it counts', async () => {
  const review = (id: number, user: object | null) => ({
    ...{ id, user, state: 'APPROVED', commit_id: sha },
    ...{ official: true, stale: false, dismissed: false },
  });
  const all = [
    review(1, { id: 5, login: 'anna' }),
    review(2, { id: -1, login: 'Ghost' }),
    review(3, { id: -2, login: 'gitea-actions' }),
    review(4, null),
  ];
  const pages = paged(all, 50);
  answer = (url) => ({ body: pages(url) });
  expect(await forge.reviews(7)).toEqual([{ by: 'anna', verdict: 'approve', commit: sha, counts: true }]);
});

test.each([
  [405, 'Please try again later', 'pending'],
  [405, 'The PR is already merged', 'merged'],
  [405, 'User not allowed to merge PR', 'forbidden'],
  [405, 'Work in progress PRs cannot be merged', 'unapproved'],
  [405, 'not ready to merge: Does not have enough approvals', 'unapproved'],
  [405, 'not ready to merge: Not all required status checks successful', 'unapproved'],
  [405, 'not ready to merge: There are official review requests', 'unapproved'],
  [405, 'not ready to merge: The head branch is behind the base branch', 'unapproved'],
  [405, 'wont sign: nokey', 'unapproved'],
  [405, 'squash is not allowed an allowed merge style for this repository', 'unapproved'],
  [409, 'head out of date', 'head-moved'],
  [409, 'merge push out of date', 'base-moved'],
  [
    409,
    "PushRejected with remote message: cannot lock ref 'refs/heads/main': is at X but expected Y",
    'base-moved',
  ],
  [409, 'PushRejected with remote message: Gitea: Not allowed to push to protected branch main', 'forbidden'],
  [409, 'PushRejected with remote message: push is rejected', 'forbidden'],
  [409, 'PushRejected with remote message: Gitea: Internal Server Connection Error', 'unavailable'],
  [409, '', 'conflict'],
  [404, 'The target couldn’t be found.', 'closed'],
  [423, 'team/platform is archived', 'forbidden'],
  [403, 'user should have a permission to write to a repo', 'forbidden'],
  [401, 'user does not exist [uid: 0, name: ]', 'auth'],
  [500, '', 'unavailable'],
] as const)('a merge that Gitea answers with %i %s is %s', async (status, message, kind) => {
  answer = () => ({ status, body: { message } });
  const error = await errorOf(forge.mergePullRequest(7, { head: sha, title: 't', message: 'm' }));
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(message);
});

test('a limit is heeded for as long as it says, a proxy’s page told by its title', async () => {
  answer = () => ({ status: 429, headers: { 'retry-after': '20' }, body: 'Too many requests' });
  expect(await errorOf(forge.openPullRequests())).toMatchObject({
    kind: 'rate-limited',
    retryAfterMs: 20_000,
  });

  answer = () => ({
    status: 503,
    headers: { 'retry-after': '5' },
    body: '<html><head><title>Maintenance</title></head><body>…</body></html>',
  });
  const error = await errorOf(forge.openPullRequests());
  expect(error).toMatchObject({ kind: 'unavailable', retryAfterMs: 5000 });
  expect(error.message).toContain('503 Maintenance. It is tried again.');
});

test('a repository that was renamed is told, and the token not taken along', async () => {
  let asked = 0;
  answer = () => {
    asked += 1;
    return { status: 301, headers: { location: 'https://forge.example/api/v1/repos/team/new' } };
  };
  const error = await errorOf(forge.openPullRequests());
  expect(error).toMatchObject({ kind: 'missing', lasting: true });
  expect(error.message).toContain('https://forge.example/api/v1/repos/team/new');
  expect(asked).toBe(1);
});
