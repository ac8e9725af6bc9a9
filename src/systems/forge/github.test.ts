import { afterEach, expect, test } from 'vitest';
import { startGitHub, type Answer, type GitHub } from '../../../test/support/github.ts';
import type { ForgeError } from './index.ts';
import { createGitHubForge } from './github.ts';

let github: GitHub;
afterEach(() => github.close());

async function forge(answers: Record<string, Answer>) {
  github = await startGitHub(answers);
  return createGitHubForge({ url: github.url, owner: 'team', name: 'platform', token: () => 'secret-token' });
}

const sha = 'a'.repeat(40);
const branch = `gitops/staging/api/${sha}`;

/** The published example of a pull request, as far as it does not suit the test. */
const pull = (example: unknown, changes: object = {}) => ({
  ...(example as object),
  number: 7,
  html_url: 'https://github.com/team/platform/pull/7',
  title: 'title',
  body: null,
  labels: [],
  state: 'open',
  merged_at: null,
  base: { ref: 'main', repo: { id: 1 } },
  head: { ref: branch, sha, repo: { id: 1 } },
  ...changes,
});

const kindOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: ForgeError) => error.kind,
  );

test('a pull request is opened from a branch and read back', async () => {
  const hub = await forge({
    'pulls/create': (_, example) => ({ status: 201, body: pull(example(201)) }),
  });

  const opened = await hub.createPullRequest({ head: branch, base: 'main', title: 'title', body: 'body' });

  expect(opened).toMatchObject({ number: 7, state: 'open', base: 'main', head: { branch, sha, own: true } });
  expect(github.requests[0]).toMatchObject({
    path: { owner: 'team', repo: 'platform' },
    body: { head: branch, base: 'main', title: 'title', body: 'body' },
  });
});

test('the pull requests of a branch are those of this repository, the oldest first', async () => {
  const hub = await forge({
    'pulls/list': (_, example) => {
      const [one] = example() as object[];
      const fork = { head: { ref: branch, sha, repo: { id: 2 } } };
      const gone = { head: { ref: branch, sha, repo: null } };
      return {
        status: 200,
        body: [
          pull(one, { number: 9 }),
          pull(one, { number: 8, ...fork }),
          pull(one, { number: 6, ...gone }),
          pull(one, { number: 5, state: 'closed', merged_at: '2026-01-01T00:00:00Z', merge_commit_sha: sha }),
        ],
      };
    },
  });

  expect(await hub.pullRequestsFrom(branch)).toMatchObject([
    { number: 5, state: 'merged', revision: sha },
    { number: 9, state: 'open' },
  ]);
  expect(github.requests[0]?.query).toMatchObject({ head: `team:${branch}`, state: 'all' });
});

test('the last verdict of each person counts, if that person may write', async () => {
  const review = (login: string, state: string) => ({ user: { login }, state, commit_id: sha });
  const hub = await forge({
    'pulls/list-reviews': () => ({
      status: 200,
      body: [
        review('writer', 'CHANGES_REQUESTED'),
        review('writer', 'APPROVED'),
        review('writer', 'COMMENTED'),
        review('passer-by', 'APPROVED'),
        review('dismissed', 'APPROVED'),
        review('dismissed', 'DISMISSED'),
        { ...review('gone', 'APPROVED'), user: null },
      ],
    }),
    'repos/get-collaborator-permission-level': ({ path }, example) => ({
      status: 200,
      body: { ...(example() as object), permission: path['username'] === 'writer' ? 'write' : 'read' },
    }),
  });

  expect(await hub.reviews(7)).toEqual([
    { by: 'writer', verdict: 'approve', commit: sha, counts: true },
    { by: 'passer-by', verdict: 'approve', commit: sha, counts: false },
  ]);
});

test('a bot’s verdict counts for nothing and disturbs nothing, a person’s beside it counts', async () => {
  const review = (login: string, type: string) => ({
    ...{ user: { login, type }, state: 'APPROVED', commit_id: sha },
  });
  const hub = await forge({
    'pulls/list-reviews': () => ({
      status: 200,
      body: [
        review('anna', 'User'),
        review('renovate-approve[bot]', 'Bot'),
        review('renovate-approve', 'User'),
        { ...review('ghost', 'User'), user: null },
      ],
    }),
    'repos/get-collaborator-permission-level': ({ path }, example) =>
      path['username'] === 'anna'
        ? { status: 200, body: { ...(example() as object), permission: 'admin' } }
        : { status: 404, body: { message: `${path['username']} is not a user`, status: '404' } },
  });

  const reviews = await hub.reviews(7);

  expect(reviews.filter(({ counts }) => counts)).toEqual([
    { by: 'anna', verdict: 'approve', commit: sha, counts: true },
  ]);
});

test('all pages are read, however few a page holds', async () => {
  const pages = (query: Record<string, string>, example: unknown) => {
    const page = Number(query['page'] ?? 1);
    const link = `<${github.url}/api/v3/repos/team/platform/pulls?state=all&page=${page + 1}>; rel="next"`;
    return {
      status: 200,
      headers: page < 3 ? { link } : {},
      body: [pull((example as object[])[0], { number: page })],
    };
  };
  const hub = await forge({ 'pulls/list': ({ query }, example) => pages(query, example()) });

  expect((await hub.openPullRequests()).map(({ number }) => number)).toEqual([1, 2, 3]);
  expect((await hub.pullRequestsFrom(branch)).map(({ number }) => number)).toEqual([1, 2, 3]);
});

test('a merge is a squash, pinned to the head that people saw', async () => {
  const hub = await forge({
    'pulls/merge': (_, example) => ({ status: 200, body: example() }),
  });

  await hub.mergePullRequest(7, { head: sha, title: 'Release', message: 'why' });

  expect(github.requests[0]?.body).toEqual({
    sha,
    merge_method: 'squash',
    commit_title: 'Release',
    commit_message: 'why',
  });
});

test.each([
  [405, 'Pull Request is not mergeable', 'pending'],
  [405, 'Merge already in progress', 'pending'],
  [405, 'Base branch was modified. Review and try the merge again.', 'base-moved'],
  [405, 'Pull Request is closed', 'closed'],
  [405, 'At least 1 approving review is required by reviewers with write access.', 'unapproved'],
  [405, 'Pull Request is still a draft', 'unapproved'],
  [405, 'Required status check "build" is in progress.', 'unapproved'],
  [405, '2 of 2 required status checks are expected.', 'unapproved'],
  [405, 'Waiting on code owner review from bakery/platform.', 'unapproved'],
  [405, 'Commits must have verified signatures.', 'unapproved'],
  [405, 'Changes must be made through the merge queue', 'unapproved'],
  [405, 'Repository rule violations found\n\nChanges must be made through the merge queue\n\n', 'unapproved'],
  [405, 'Repository rule violations found\n\nRequired status check "e2e" is expected.\n\n', 'unapproved'],
  [
    405,
    'Repository rule violations found\n\nA conversation must be resolved before this pull request can be merged.\n\n',
    'unapproved',
  ],
  [405, "You're not authorized to push to this branch.", 'forbidden'],
  [405, 'Squash merges are not allowed on this repository.', 'forbidden'],
  [409, 'Head branch was modified. Review and try the merge again.', 'head-moved'],
  [401, 'Bad credentials', 'auth'],
  [401, 'Requires authentication', 'auth'],
  [403, 'Resource not accessible by personal access token', 'forbidden'],
  [403, 'Resource not accessible by integration', 'forbidden'],
  [
    403,
    'Resource protected by organization SAML enforcement. You must grant your token access.',
    'forbidden',
  ],
  [403, 'Repository was archived so is read-only.', 'forbidden'],
  [403, 'API rate limit exceeded for user ID 1.', 'rate-limited'],
  [403, 'You have exceeded a secondary rate limit. Please wait a few minutes.', 'rate-limited'],
  [404, 'Not Found', 'missing'],
  [502, 'Bad Gateway', 'unavailable'],
])('a merge that GitHub answers with %i %s is %s', async (status, message, kind) => {
  const hub = await forge({ 'pulls/merge': () => ({ status, body: { message } }) });

  const merge = hub.mergePullRequest(7, { head: sha, title: 't', message: 'm' });
  expect(await kindOf(merge)).toBe(kind);
  await expect(merge).rejects.toThrow(message.trim().split(/\s+/).join(' '));
});

test('how long to wait is known when GitHub says so', async () => {
  const hub = await forge({
    'pulls/get': () => ({ status: 429, headers: { 'retry-after': '7' }, body: { message: 'slow down' } }),
  });

  await expect(hub.pullRequest(7)).rejects.toMatchObject({ kind: 'rate-limited', retryAfterMs: 7000 });
});

test('a limit that is spent is waited for until it is lifted', async () => {
  const reset = Math.ceil(Date.now() / 1000) + 90;
  const hub = await forge({
    'pulls/get': () => ({
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) },
      body: { message: 'API rate limit exceeded for user ID 1.' },
    }),
  });

  const error = (await hub.pullRequest(7).catch((error: unknown) => error)) as ForgeError;

  expect(error.kind).toBe('rate-limited');
  expect(error.retryAfterMs).toBeGreaterThan(80_000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(91_000);
});

test('a pull request of a branch that GitHub has not heard of yet is told from one that is wrong', async () => {
  const refuse = (errors: object[]) => () => ({
    status: 422,
    body: { message: 'Validation Failed', errors, documentation_url: 'https://docs.github.com/rest' },
  });
  const text = { head: branch, base: 'main', title: 'title', body: 'body' };
  const hub = await forge({
    'pulls/create': refuse([{ resource: 'PullRequest', field: 'head', code: 'invalid' }]),
  });
  expect(await kindOf(hub.createPullRequest(text))).toBe('missing');
  github.answers['pulls/create'] = refuse([
    { resource: 'PullRequest', code: 'custom', message: 'No commits between main and branch' },
  ]);
  expect(await kindOf(hub.createPullRequest(text))).toBe('invalid');
  github.answers['pulls/create'] = refuse([
    { resource: 'PullRequest', code: 'custom', message: `A pull request already exists for team:${branch}.` },
  ]);
  expect(await kindOf(hub.createPullRequest(text))).toBe('exists');
});

test('an error never holds the token', async () => {
  const hub = await forge({
    'pulls/get': () => ({ status: 404, body: { message: 'Not Found' } }),
  });

  await expect(hub.pullRequest(7)).rejects.not.toThrow('secret-token');
});

test('text is changed, a label added and a branch deleted, twice as well as once', async () => {
  let deleted = false;
  const hub = await forge({
    'pulls/update': (_, example) => ({ status: 200, body: example() }),
    'issues/add-labels': (_, example) => ({ status: 200, body: example() }),
    'git/delete-ref': () => {
      if (deleted) return { status: 422, body: { message: 'Reference does not exist' } };
      deleted = true;
      return { status: 204 };
    },
  });

  await hub.updatePullRequest(7, { state: 'closed', body: 'superseded' });
  await hub.addLabel(7, 'production-release');
  await hub.deleteBranch(branch);
  await hub.deleteBranch(branch);

  expect(github.requests.map(({ operation, body }) => [operation, body])).toEqual([
    ['pulls/update', { state: 'closed', body: 'superseded' }],
    ['issues/add-labels', { labels: ['production-release'] }],
    ['git/delete-ref', {}],
    ['git/delete-ref', {}],
  ]);
});

test('a GitHub that does not answer is told from a token that is not there', async () => {
  await forge({});
  const hub = createGitHubForge({
    url: 'http://127.0.0.1:1',
    owner: 'team',
    name: 'platform',
    token: () => 't',
  });
  expect(await kindOf(hub.openPullRequests())).toBe('unavailable');

  const secretless = createGitHubForge({
    url: github.url,
    owner: 'team',
    name: 'platform',
    token: () => {
      throw new Error('The secret env:TOKEN is not there.');
    },
  });
  await expect(secretless.openPullRequests()).rejects.toThrow(/^The secret env:TOKEN is not there\.$/);
  expect(github.requests).toEqual([]);
});

test('rules that stand in a promotion’s way are named', async () => {
  const hub = await forge({
    'repos/get': (_, example) => ({
      status: 200,
      body: { ...(example() as object), permissions: { push: false }, allow_squash_merge: false },
    }),
    'repos/get-branch-rules': () => ({
      status: 200,
      body: [
        {
          type: 'required_status_checks',
          parameters: { strict_required_status_checks_policy: true, required_status_checks: [] },
        },
      ],
    }),
  });

  const found = await hub.branchRules('main', { pushed: ['dev'], reviewed: [], unreviewed: [] });

  expect(found).toEqual([
    expect.objectContaining({ state: 'failed', detail: expect.stringMatching(/may not write/) }),
    expect.objectContaining({ state: 'failed', detail: expect.stringMatching(/Squash merges/) }),
    expect.objectContaining({ state: 'failed', detail: expect.stringMatching(/behind it/) }),
  ]);
});

test('rulesets that promotions cannot live with are named', async () => {
  const hub = await forge({
    'repos/get': (_, example) => ({
      status: 200,
      body: { ...(example() as object), permissions: { push: true }, allow_squash_merge: true },
    }),
    'repos/get-branch-rules': () => ({
      status: 200,
      body: [
        {
          type: 'pull_request',
          parameters: {
            allowed_merge_methods: ['rebase'],
            dismiss_stale_reviews_on_push: false,
            require_code_owner_review: false,
            require_last_push_approval: false,
            required_approving_review_count: 2,
            required_review_thread_resolution: false,
          },
        },
        { type: 'required_signatures' },
        { type: 'non_fast_forward' },
      ],
    }),
  });

  const use = { pushed: ['dev'], reviewed: ['staging'], unreviewed: ['production'] };
  const found = await hub.branchRules('main', use);

  expect(found.map(({ state, detail }) => `${state}: ${detail}`)).toEqual([
    'failed: main takes pull requests by rebase only, and promotions are squashed.',
    'warning: main is changed by pull requests only, and releases for dev are pushed.',
    expect.stringMatching(/^warning: .* are 2, and nobody reviews pull requests for production/),
    expect.stringMatching(/^failed: .* are 2, and promotions are merged after the first/),
    expect.stringMatching(/^warning: An approval stays/),
    expect.stringMatching(/^failed: main takes signed commits only/),
  ]);
});

test.each([
  ['PUT', '/pulls/7/merge', { sha, strategy: 'squash' }],
  ['PUT', '/pulls/7/merge', { sha, merge_method: 'fast-forward' }],
  ['POST', '/pulls', { head: branch }],
  ['GET', '/pulls?head_branch=x', undefined],
  ['GET', '/pulls/seven', undefined],
  ['GET', '/branches', undefined],
])('what GitHub has not published is not taken for GitHub here: %s %s', async (method, path, body) => {
  const ok: Answer = () => ({ status: 200, body: {} });
  await forge({ 'pulls/merge': ok, 'pulls/create': ok, 'pulls/list': ok, 'pulls/get': ok });

  const { status } = await fetch(`${github.url}/api/v3/repos/team/platform${path}`, {
    method,
    headers: { authorization: 'token t' },
    ...(body && { body: JSON.stringify(body) }),
  });

  expect(status).toBe(400);
});
