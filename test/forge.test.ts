import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { refused } from '../src/activities/failures.ts';
import { createPullRequestActivities } from '../src/activities/promotion/index.ts';
import { createReleaseActivities } from '../src/activities/promotion/write-release.ts';
import type { PullRequestActivities, SeenRelease } from '../src/activities/contract.ts';
import type { Rendered, Deployed } from '../src/model/promotion/promotion.ts';
import { promotionSettings } from '../src/config/promotion-settings.ts';
import type { Config } from '../src/config/schema.ts';
import type { Release } from '../src/model/delivery/change.ts';
import { promotionBranch } from '../src/model/promotion/promotion-branch.ts';
import { parseApplication } from '../src/systems/argocd/application.ts';
import { createArgoCd } from '../src/systems/argocd/api-client.ts';
import { createForge } from '../src/wiring/forge.ts';
import { createRepository } from '../src/systems/git/repository.ts';
import type { Repository } from '../src/systems/git/index.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { makeGiteaRepository, type GiteaRepository } from './support/gitea.ts';

/** The activities of pull requests on a real Gitea, with Git and Temporal as they are. */
let gitea: GiteaRepository;
let client: Client;
let config: Config;
let repository: Repository;
let activities: PullRequestActivities;
let directory: string;
const stored = new Map<string, string>();
/** What would run: the rendering has tests of its own. */
const rendered = { manifestsDigest: 'sha256:x', diff: 'diffs/x', summary: '1 changed' };
let rendering = (): Promise<Rendered> => Promise.resolve(rendered);
/** Revision that Argo CD deployed last. */
let deployed: string | undefined;
let runs: { workflowId: string; runId: string }[] = [];

beforeAll(async () => {
  gitea = await makeGiteaRepository();
  client = await connectClient();
  config = gitea.config('test');
  directory = await mkdtemp(join(tmpdir(), 'forge-'));
  repository = createRepository({
    url: config.repository.url,
    branch: 'main',
    token: () => gitea.token('bot'),
    directory,
    committer: { name: 'gitops', email: `${gitea.login('bot')}@example.com` },
  });
  activities = createPullRequestActivities(
    {
      config,
      repository,
      sourceOf: () => repository,
      forge: createForge(config),
      objects: {
        get: async (key) => {
          const body = stored.get(key);
          return body === undefined ? undefined : { body, etag: body };
        },
        put: async () => true,
        list: async () => [],
      },
      argocd: {
        ...createArgoCd({ namespace: 'argocd' }),
        application: async (name) =>
          parseApplication({
            metadata: { name },
            spec: { project: 'default', destination: {} },
            status: { history: deployed === undefined ? [] : [{ id: 1, revision: deployed }] },
          }),
      },
      temporal: client,
    },
    { renderRelease: () => rendering() },
  );
});

afterEach(async () => {
  for (const { workflowId, runId } of runs) {
    await client.workflow
      .getHandle(workflowId, runId)
      .terminate()
      .catch(() => undefined);
  }
  runs = [];
  deployed = undefined;
});

afterAll(async () => {
  await gitea.remove();
  await client.connection.close();
  await rm(directory, { recursive: true });
});

/** A workflow that is open; nobody has to run it. */
async function openRun(): Promise<{ workflowId: string; runId: string }> {
  const { workflowId, firstExecutionRunId: runId } = await client.workflow.start('nothing', {
    workflowId: `test/${randomUUID()}`,
    taskQueue: 'nobody',
  });
  runs.push({ workflowId, runId });
  return { workflowId, runId };
}

interface Promotion {
  environment: string;
  release: Release;
  seen: SeenRelease;
  asker: { workflowId: string; runId: string };
  run: { workflowId: string; runId: string };
  branch: string;
}

let made = 0;

/** A developer's commit that asks to enter an environment. */
async function promotion(environment = 'staging'): Promise<Promotion> {
  made += 1;
  const commit = await gitea.commit('main', `services/api/file-${made}.txt`, `${made}`);
  const tip = await repository.tip();
  const base = (await repository.object(commit, 'deploy/api/base')) ?? '';
  const tree = await repository.object(tip, `deploy/api/overlays/${environment}/release`);
  const change = { service: 'api', commit };
  const { subject, authors, committedAt } = await repository.commit(commit);
  const release: Release = {
    change,
    source: {
      position: (await repository.position(commit)) ?? 0,
      ...{ subject, authors, committedAt },
      base,
      paths: [],
    },
    image: {
      name: 'registry.example/api',
      digest: `sha256:${'0'.repeat(60)}${String(made).padStart(4, '0')}`,
    },
  };
  return {
    environment,
    release,
    seen: { tip, ...(tree !== undefined && { tree }) },
    asker: await openRun(),
    run: await openRun(),
    branch: promotionBranch(environment, change),
  };
}

/** Runs an activity as a workflow's attempt. */
const as = <Input, Output>(
  { run }: Pick<Promotion, 'run'>,
  activity: (input: Input) => Promise<Output>,
  input: Input,
): Promise<Output> => new MockActivityEnvironment({ workflowExecution: run }).run(activity, input);

const open = async (p: Omit<Promotion, 'branch'>, current?: Deployed) => {
  const { environment, release, seen, asker } = p;
  const { approval: asked } = promotionSettings(config, environment);
  const opening = { environment, release, seen, asked, asker, ...(current && { current }) };
  const { pullRequest, ...proposal } = await as(p, activities.openPullRequest, opening);
  return { ...pullRequest, ...proposal };
};
const read = (p: Promotion, { number, head }: { number: number; head: string }) =>
  as(p, activities.readPullRequest, { environment: p.environment, service: 'api', number, head });
const merge = (p: Promotion, pullRequest: { number: number; url: string; head: string }) => {
  const { environment, release, asker } = p;
  const { approval } = promotionSettings(config, environment);
  return as(p, activities.mergePullRequest, { environment, release, pullRequest, approval, asker });
};
const close = (p: Promotion, number: number) => {
  const { environment, release } = p;
  return as(p, activities.closePullRequest, { environment, change: release.change, number, reason: 'why' });
};
const openOnForge = async (p: Promotion) =>
  (await gitea.forge.pullRequestsFrom(p.branch)).filter(({ state }) => state === 'open');

/** @returns the merge commit */
async function mergeByHand(number: number): Promise<string> {
  await gitea.merge(number);
  return repository.tip();
}

test('a release is proposed, reviewed, merged at its head, and the branch is gone', async () => {
  const p = await promotion();
  const opened = await open(p);

  const found = await gitea.forge.pullRequest(opened.number);
  expect(found).toMatchObject({ state: 'open', base: 'main', labels: [], head: { sha: opened.head } });
  expect(found.body).toContain(p.release.source.subject);
  // Nothing is known to run, so it counts, too, who made the repository.
  expect(opened.authors).toEqual(['developer', expect.stringContaining('@')]);

  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  expect(await read(p, opened)).toEqual({
    state: 'open',
    approvedBy: [gitea.login('reviewer')],
    rejectedBy: [],
  });
  const merged = await merge(p, opened);
  const revision = await repository.tip();
  expect(merged).toEqual({ state: 'merged', revision });
  expect(await repository.object(revision, 'deploy/api/overlays/staging/release')).toBe(opened.tree);
  expect(await repository.changedPaths(revision)).toEqual([
    'deploy/api/overlays/staging/release/base/kustomization.yaml',
    'deploy/api/overlays/staging/release/kustomization.yaml',
  ]);
  await expect(gitea.api('GET', `/branches/${encodeURIComponent(p.branch)}`)).rejects.toThrow('404');

  expect(await merge(p, opened)).toEqual(merged);
  await close(p, opened.number);
  expect((await gitea.forge.pullRequest(opened.number)).state).toBe('merged');
});

test('what asks for decisions has the label, the diff and how to approve', async () => {
  const p = await promotion('production');
  stored.set('diffs/x', '-  replicas: 2\n+  replicas: 3');

  const first = await open(p);
  expect(await open(p)).toEqual(first);
  expect(first.rendered).toEqual(rendered);
  const found = await gitea.forge.pullRequest(first.number);
  expect(found.labels).toEqual(['production-release']);
  expect(found.body).toContain('+  replicas: 3');
  expect(found.body).toContain(`gitops approve api/${p.release.change.commit} --environment production`);
  expect(found.body).toContain('It waits for 1 of `board` (its authors may not: `developer`)');
  await close(p, first.number);
});

test('where Argo CD runs an older release than was promoted last, people are told, and shown all since', async () => {
  const first = await promotion();
  const { number, head, tree } = await open(first);
  const revision = await mergeByHand(number);
  const second = await promotion();
  const { change, source } = second.release;
  const current = { change, position: source.position, revision: head, at: source.committedAt };
  deployed = revision;
  const third = await promotion();

  const opened = await open(third, current);

  const { body } = await gitea.forge.pullRequest(opened.number);
  const older = first.release.change.commit;
  expect(body).toContain(`where \`${change.commit}\` was promoted last but Argo CD runs \`${older}\`.`);
  expect(body).toContain(`- ${change.commit.slice(0, 12)} `);
  expect(body).not.toContain(`- ${older.slice(0, 12)} `);
  expect(third.seen.tree).toBe(tree);
  await close(third, opened.number);
});

test('what cannot be rendered is not proposed, and of its branch nothing stays', async () => {
  const p = await promotion('production');
  rendering = () => Promise.reject(refused('The overlay renders to nothing.'));

  await expect(open(p)).rejects.toThrow('The overlay renders to nothing.');
  expect(await gitea.forge.pullRequestsFrom(p.branch)).toEqual([]);
  await expect(gitea.api('GET', `/branches/${encodeURIComponent(p.branch)}`)).rejects.toThrow('404');
  rendering = () => Promise.resolve(rendered);
});

test('several attempts at the same time open one pull request', async () => {
  const p = await promotion();
  const opened = await Promise.all([open(p), open(p), open(p), open(p)]);
  expect(new Set(opened.map(({ number, head }) => `${number} ${head}`)).size).toBe(1);
  expect(await openOnForge(p)).toHaveLength(1);
  await close(p, opened[0].number);
});

test('duplicates that another process opened are closed', async () => {
  const p = await promotion();
  const { number } = await open(p);
  await close(p, number);
  const again = await promotion();
  const tip = await gitea.commit(again.branch, 'other.txt', 'x');
  const text = { head: again.branch, base: 'main', title: 't', body: '' };
  await Promise.allSettled(Array.from({ length: 4 }, () => gitea.forge.createPullRequest(text)));

  const opened = await open(again);

  expect(opened.head).not.toBe(tip);
  expect(await openOnForge(again)).toMatchObject([{ number: opened.number, head: { sha: opened.head } }]);
  await close(again, opened.number);
});

test('only reviews count that the forge counts, on the very head', async () => {
  const p = await promotion();
  const opened = await open(p);
  const nobody = { state: 'open', approvedBy: [], rejectedBy: [] };

  await gitea.review(opened.number, 'stranger', 'APPROVED', opened.head);
  expect(await read(p, opened)).toEqual(nobody);

  await gitea.review(opened.number, 'reviewer', 'APPROVED', p.seen.tip);
  expect(await read(p, opened)).toEqual(nobody);

  const review = await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  expect((await read(p, opened)).approvedBy).toEqual([gitea.login('reviewer')]);
  await gitea.api('POST', `/pulls/${opened.number}/reviews/${review}/dismissals`, { message: 'no' });
  expect(await read(p, opened)).toEqual(nobody);
  expect(await merge(p, opened)).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('review'),
  });

  await gitea.review(opened.number, 'developer', 'REQUEST_CHANGES', opened.head);
  expect((await read(p, opened)).rejectedBy).toEqual([gitea.login('developer')]);
  await gitea.review(opened.number, 'developer', 'APPROVED', opened.head);
  expect(await read(p, opened)).toMatchObject({ approvedBy: [gitea.login('developer')], rejectedBy: [] });
  await close(p, opened.number);
});

test('one that somebody pushed to is not merged, however fast', async () => {
  const p = await promotion();
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  const head = await gitea.commit(p.branch, 'smuggled.txt', 'x', 'existing');

  const merged = await merge(p, opened);

  expect(merged).toMatchObject({ state: 'refused' });
  await vi.waitFor(async () => expect((await read(p, opened)).edited).toContain(head), {
    timeout: 20_000,
  });
  expect(await repository.object(await repository.tip(), 'smuggled.txt')).toBe(undefined);
  await close(p, opened.number);
});

test('one that somebody closed is not merged', async () => {
  const p = await promotion();
  const opened = await open(p);
  await gitea.forge.updatePullRequest(opened.number, { state: 'closed' });

  expect((await read(p, opened)).state).toBe('closed');
  expect(await merge(p, opened)).toMatchObject({
    state: 'refused',
    reason: expect.stringContaining('closed'),
  });
});

test('one that somebody retargeted is not merged', async () => {
  const p = await promotion();
  await gitea.commit(`other-${made}`, `x-${made}.txt`, 'x');
  const opened = await open(p);
  await gitea.api('PATCH', `/pulls/${opened.number}`, { base: `other-${made}` });

  expect((await read(p, opened)).edited).toContain(`other-${made}`);
  expect(await merge(p, opened)).toMatchObject({ state: 'refused' });
  await close(p, opened.number);
});

test('one that somebody merged is found again, and what it became', async () => {
  const p = await promotion();
  const opened = await open(p);
  const revision = await mergeByHand(opened.number);

  expect(await read(p, opened)).toMatchObject({ state: 'merged', revision });
  expect(await merge(p, opened)).toEqual({ state: 'merged', revision });

  // The change is delivered again: there is nothing to open.
  const tree = (await repository.object(revision, 'deploy/api/overlays/staging/release')) ?? '';
  const again = await open({ ...p, seen: { tip: revision, tree, change: p.release.change } });
  expect(again).toMatchObject({ number: opened.number, head: revision });
  expect(await read(p, again)).toMatchObject({ state: 'merged', revision });
});

test('a release that somebody else wrote over is not merged but told', async () => {
  const p = await promotion();
  const opened = await open(p);
  const other = await promotion();
  const { number, head } = await open(other);
  await gitea.review(number, 'reviewer', 'APPROVED', head);
  await merge(other, { number, head, url: '' });

  await expect(open(p)).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('meanwhile'),
  });
  await close(p, opened.number);
});

test('a change that somebody took off the branch is not brought back by its pull request', async () => {
  const before = await repository.tip();
  const p = await promotion();
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  await gitea.rewrite(before);

  const gone = expect.stringMatching(/is not on the protected branch any more.*Deliver a commit that is/);
  expect(await merge(p, opened)).toEqual({ state: 'refused', reason: gone });
  await close(p, opened.number);
  await expect(open({ ...p, seen: { tip: before } })).rejects.toMatchObject({ message: gone });
  expect(await repository.tip()).toBe(before);
});

test('what was asked for as a review is not merged once decisions are demanded', async () => {
  const p = await promotion('production');
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  const { environment, release, asker } = p;
  const merged = await as(p, activities.mergePullRequest, {
    ...{ environment, release, asker, pullRequest: opened },
    approval: { by: 'review' },
  });
  expect(merged).toEqual({
    state: 'refused',
    reason: 'The configuration demands decisions by now. Deliver the change again.',
  });
  await close(p, opened.number);
});

test('what was proposed before its overlay was removed is not merged', async () => {
  const overlay = 'deploy/api/overlays/staging/kustomization.yaml';
  const p = await promotion();
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  await gitea.write({ [overlay]: null }, 'Take it away');
  expect(await merge(p, opened)).toEqual({
    state: 'refused',
    reason: expect.stringMatching(
      /^deploy\/api\/overlays\/staging is not in the repository any more/,
    ) as string,
  });
  await gitea.write({ [overlay]: 'resources: [release]\n' }, 'Bring it back');
  await close(p, opened.number);
});

test('a push is refused once the configuration demands a pull request', async () => {
  const p = await promotion();
  const { environment, release, seen, asker } = p;
  const { writeRelease } = createReleaseActivities({
    ...{ config, repository, temporal: client },
    sourceOf: () => repository,
  });
  expect(await as(p, writeRelease, { environment, release, seen, asker })).toEqual({
    state: 'refused',
    reason: 'By now the configuration has releases enter staging by pull request. Deliver the change again.',
  });
  expect(await repository.tip()).toBe(seen.tip);
});

test('an attempt that its promotion has outlived changes nothing', async () => {
  const p = await promotion();
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  await client.workflow.getHandle(p.run.workflowId, p.run.runId).terminate();

  expect(await merge(p, opened)).toMatchObject({ state: 'refused' });
  await close(p, opened.number);
  expect(await openOnForge(p)).toHaveLength(1);

  const late = await promotion();
  await client.workflow.getHandle(late.asker.workflowId, late.asker.runId).terminate();
  await expect(open(late)).rejects.toMatchObject({ type: 'Refused' });
  expect(await gitea.forge.pullRequestsFrom(late.branch)).toEqual([]);
});

test('merges go on while the branch moves', async () => {
  const p = await promotion();
  const opened = await open(p);
  await gitea.review(opened.number, 'reviewer', 'APPROVED', opened.head);
  const merging = new AbortController();
  const mover = (async () => {
    // Not for ever: after each the forge looks for conflicts anew, which a slow one would never have done.
    for (let count = 0; count < 10 && !merging.signal.aborted; count += 1) {
      // One of the two loses the race for the branch, now and then.
      await gitea.commit('main', `noise-${made}-${count}.txt`, 'x').catch(() => undefined);
      await delay(100);
    }
  })();

  expect(await merge(p, opened)).toMatchObject({ state: 'merged' });
  merging.abort();
  await mover;
});

test('a forge that refuses the token says so, without the token', async () => {
  process.env['TEST_FORGE_TOKEN'] = 'wrong-token';
  try {
    const p = await promotion();
    const wrong = read(p, { number: 1, head: 'x' });
    await expect(wrong).rejects.toMatchObject({ type: 'Refused', nonRetryable: true });
    await expect(wrong).rejects.toThrow(/forge\.token/);
    await expect(wrong).rejects.not.toThrow(/wrong-token/);
  } finally {
    process.env['TEST_FORGE_TOKEN'] = gitea.token('bot');
  }
});

test('the forge’s own rules that stand in the way are named', async () => {
  const use = { pushed: ['dev'], reviewed: ['staging'], unreviewed: ['production'] };
  const rules = async () =>
    (await gitea.forge.branchRules('main', use)).map(({ state, detail }) => `${state}: ${detail}`);
  expect(await rules()).toEqual([expect.stringMatching(/^warning: main is not protected/)]);

  await gitea.api('POST', '/branch_protections', {
    rule_name: 'main',
    enable_push: true,
    enable_push_whitelist: true,
    push_whitelist_usernames: [gitea.login('developer')],
    enable_merge_whitelist: true,
    merge_whitelist_usernames: [gitea.login('developer')],
    required_approvals: 2,
    enable_status_check: true,
    status_check_contexts: ['ci/test'],
    block_on_outdated_branch: true,
    require_signed_commits: true,
    protected_file_patterns: '**/release/**',
  });
  const seenByWriter = [
    expect.stringMatching(/^failed: .* may not push to main, which releases for dev need/),
    expect.stringMatching(/^failed: .* may not merge to main/),
    expect.stringMatching(/^failed: .* are 2, and nobody reviews pull requests for production/),
    expect.stringMatching(/^failed: .* are 2, and promotions are merged after the first/),
    expect.stringMatching(/^warning: .* status checks have passed: ci\/test/),
  ];
  expect(await rules()).toEqual([...seenByWriter, expect.stringMatching(/^ok: Only an administrator may/)]);

  await gitea.api('PUT', `/collaborators/${gitea.login('bot')}`, { permission: 'admin' });
  expect(await rules()).toEqual([
    ...seenByWriter,
    expect.stringMatching(/^failed: main takes no pull request that is behind it/),
    expect.stringMatching(/^failed: main takes signed commits only/),
    expect.stringMatching(/^warning: main refuses changes of \*\*\/release/),
    expect.stringMatching(/^warning: An approval stays/),
  ]);
  await gitea.api('PUT', `/collaborators/${gitea.login('bot')}`, { permission: 'write' });
  await gitea.api('DELETE', '/branch_protections/main');
});
