import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeDiskRepository, type DiskRepository } from '../../test/support/disk-repository.ts';
import { startGitServer, type GitServer } from '../../test/support/git-server.ts';
import { WrongManifest } from '../systems/argocd/index.ts';
import { BackupStoreError, WrongKey } from '../systems/backups/index.ts';
import { ForgeError } from '../systems/forge/index.ts';
import { createRepository } from '../systems/git/repository.ts';
import type { Repository } from '../systems/git/index.ts';
import { RegistryError } from '../systems/images/index.ts';
import { KubernetesError } from '../systems/kubernetes/index.ts';
import { ObjectStoreError } from '../systems/objects/index.ts';
import { withCluster, withForge, withGit, withObjects, withRecovery, withRegistry } from './failures.ts';

const failureOf = (work: Promise<unknown>): Promise<ApplicationFailure> =>
  work.then(
    () => expect.unreachable('It did not fail.'),
    (error: unknown) => error as ApplicationFailure,
  );

describe('a push', () => {
  let disk: DiskRepository;
  let server: GitServer;
  let folder: string;
  let repository: Repository;

  beforeEach(async () => {
    disk = await makeDiskRepository({ 'm/a/base/deployment.yaml': 'kind: Deployment\n' });
    server = await startGitServer(await disk.git('remote', 'get-url', 'origin'));
    folder = await mkdtemp(join(tmpdir(), 'failures-'));
    repository = createRepository({
      url: server.url,
      branch: 'main',
      token: () => 'secret-token',
      directory: join(folder, 'clone'),
      committer: { name: 'gitops', email: 'gitops@example.com' },
    });
  });
  afterEach(async () => {
    await server.close();
    await disk.remove();
    await rm(folder, { recursive: true });
  });

  const push = async (): Promise<unknown> => {
    const base = await repository.object(await repository.tip(), 'm/a/base');
    return withGit(() =>
      repository.writeRelease({
        branch: 'main',
        path: 'm/a/overlays/dev/release',
        base: base ?? '',
        kustomization: 'resources: [base]\n',
        expectedTree: undefined,
        message: 'Release a',
        stillWanted: () => Promise.resolve(true),
      }),
    );
  };

  test('that the server takes is written', async () => {
    expect(await push()).toMatchObject({ state: 'written' });
  });

  test.each([
    'Permission to bakery/platform.git denied to gitops-bot.',
    'Write access to repository not granted.',
    'This repository was archived so it is read-only.',
    'User permission denied for writing.',
    'mirror repository is read-only',
    "The 'bakery' organization has enabled or enforced SAML SSO.\nTo access this repository, you must re-authorize the OAuth Application 'gitops'.",
  ])('that is answered 403 ends the step at once, with what the server says: %s', async (words) => {
    server.refuse.push = { status: 403, words };

    const { message, nonRetryable } = await failureOf(push());

    expect(nonRetryable).toBe(true);
    expect(message).toContain(words.replaceAll('\n', ' '));
    expect(message).toContain("Let this program's account push to the protected branch");
    expect(server.requests.filter((request) => request.includes('git-receive-pack'))).toHaveLength(1);
  });

  test('that a rule of the branch refuses ends the step at once, with that rule', async () => {
    const origin = await disk.git('remote', 'get-url', 'origin');
    const says = [
      'error: GH013: Repository rule violations found for refs/heads/main.',
      'Review all repository rules at https://github.com/bakery/platform/rules?ref=refs%2Fheads%2Fmain',
      '',
      '- Changes must be made through a pull request.',
      '',
    ];
    const hook = says.map((line) => `echo '${line}' >&2`).join('\n');
    await writeFile(join(origin, 'hooks', 'pre-receive'), `#!/bin/sh\n${hook}\nexit 1\n`, { mode: 0o755 });

    const { message, nonRetryable } = await failureOf(push());

    expect(nonRetryable).toBe(true);
    expect(message).toMatch(
      /^git push: GH013: Repository rule violations found .* - Changes must be made through a pull request\. \(pre-receive hook declined\)\. Let this program's account push/,
    );
  });

  test('that is answered 429 is tried again when the server said', async () => {
    server.refuse.push = { status: 429, headers: { 'retry-after': '7' } };

    expect(await failureOf(push())).toMatchObject({
      type: 'rate-limited',
      nonRetryable: false,
      nextRetryDelay: 7000,
    });
  });

  test('that meets a fault of the server is tried again', async () => {
    server.refuse.push = { status: 502 };

    expect(await failureOf(push())).toMatchObject({ type: 'unavailable', nonRetryable: false });
  });

  test.each([
    [401, 'repository.token'],
    [403, 'read the repository'],
    [404, 'repository.url'],
  ])(
    'of a repository that cannot even be read (%i) ends at once and says what to change',
    async (status, key) => {
      server.refuse.all = { status };

      const { message, nonRetryable } = await failureOf(withGit(() => repository.tip()));

      expect(nonRetryable).toBe(true);
      expect(message).toContain(key);
      expect(message).not.toContain('secret-token');
      expect(message).not.toContain(Buffer.from('x-access-token:secret-token').toString('base64'));
    },
  );
});

test.each([
  ['auth', true],
  ['forbidden', true],
  ['missing', true],
  ['unapproved', true],
  ['pending', false],
  ['base-moved', false],
  ['unavailable', false],
] as const)('an answer of the forge that is %s ends a step: %s', async (kind, ends) => {
  const failure = await failureOf(withForge(() => Promise.reject(new ForgeError(kind, 'No.'))));

  expect(failure.nonRetryable).toBe(ends);
  expect(failure.message).toMatch(/^No\./);
});

test('for how long a forge or a registry wants to be left alone is heeded', async () => {
  const forge = new ForgeError('rate-limited', 'Slowly.', { retryAfterMs: 90_000 });
  const registry = new RegistryError('rate-limited', 'Slowly.', { retryAfterMs: 30_000 });

  expect(await failureOf(withForge(() => Promise.reject(forge)))).toMatchObject({ nextRetryDelay: 90_000 });
  expect(await failureOf(withRegistry(() => Promise.reject(registry)))).toMatchObject({
    nextRetryDelay: 30_000,
  });
});

describe('what the cluster or the object store refuses', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const forbidden = new KubernetesError(403, 'PUT https://10.0.0.1/apis: 403 applications is forbidden.');
  const noBucket = new ObjectStoreError('The object store answered NoSuchBucket.', {
    lasting: true,
    advice: 'See objects in gitops.yaml.',
  });

  /** How it ends where every attempt before this many seconds have passed is refused so. */
  async function endOf(withSystem: typeof withCluster, answer: Error, untilSeconds = Infinity) {
    const begun = Date.now();
    const work = () =>
      withSystem(async () => {
        if (Date.now() - begun < untilSeconds * 1000) throw answer;
        return 'done';
      });
    const ended = new MockActivityEnvironment().run(work).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    return ended;
  }

  test.each([
    ['a right', withCluster, forbidden, 'Give the account that right in the cluster.'],
    [
      'an account',
      withCluster,
      new KubernetesError(401, 'GET /apis: 401 Unauthorized.'),
      'Renew the credentials',
    ],
    ['a bucket', withObjects, noBucket, 'See objects in gitops.yaml.'],
  ])(
    'for want of %s ends a step within a minute, with what to change',
    async (_, withSystem, answer, advice) => {
      expect(await endOf(withSystem, answer)).toMatchObject({
        type: 'Refused',
        nonRetryable: true,
        message: expect.stringContaining(advice) as string,
      });
    },
  );

  test('for some seconds, while a token is renewed or a right spreads, ends nothing', async () => {
    expect(await endOf(withCluster, forbidden, 30)).toBe('done');
    expect(await endOf(withObjects, noBucket, 30)).toBe('done');
  });

  test('is told from an outage, which is for the next attempt', async () => {
    const away = new KubernetesError(0, 'connect ECONNREFUSED.');
    const slow = new ObjectStoreError('SlowDown.', { advice: 'Wait.' });
    expect(await endOf(withCluster, away)).toBe(away);
    expect(await endOf(withObjects, slow)).toBe(slow);
  });
});

test.each([
  ['a right in the cluster', new KubernetesError(403, 'No.'), true],
  ['a right to the backups', new BackupStoreError('No.', { lasting: true }), true],
  ['a right to the object store', new ObjectStoreError('No.', { lasting: true }), true],
  ['the key', new WrongKey('No.'), true],
  ['the manifest that was meant', new WrongManifest('No.'), true],
  ['a cluster that answers', new KubernetesError(0, 'No.'), false],
  ['a store of backups that answers', new BackupStoreError('No.'), false],
  ['an object store that answers', new ObjectStoreError('No.'), false],
])('a step of a recovery that lacks %s ends at once, or is tried again', async (_, error, ends) => {
  const failure = await failureOf(withRecovery(() => Promise.reject(error)));

  expect(failure.nonRetryable ?? false).toBe(ends);
  expect(failure.message).toMatch(/^No\./);
});
