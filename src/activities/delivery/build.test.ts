import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, describe, expect, test } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { createCommandRunner } from '../../systems/commands/runner.ts';
import type { Images } from '../../systems/images/index.ts';
import type { BuildActivities } from '../contract.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createBuildActivities } from './index.ts';

const patient = 'patient 4711: eligibility refused';

let disk: DiskRepository;
let workDirectory: string;
let stored: Map<string, string>;
let store: ObjectStore;

beforeEach(async () => {
  disk = await makeDiskRepository({ 'services/claims/Dockerfile': 'FROM scratch\n' });
  workDirectory = await mkdtemp(join(tmpdir(), 'work-'));
  // Commands run in there as another user.
  await chmod(workDirectory, 0o711);
  stored = new Map();
  store = {
    get: async (key) => {
      const body = stored.get(key);
      return body === undefined ? undefined : { body, etag: '1' };
    },
    put: async (key, body) => Boolean(stored.set(key, body)),
    list: async () => [],
  };
  return () => Promise.all([disk.remove(), rm(workDirectory, { recursive: true })]);
});

const isAway = () => Promise.reject(new Error('The object store is away.'));
/** Builds say the same as tests, and fail. */
const images = {
  labels: async () => undefined,
  buildAndPush: async ({ onOutput }) => {
    onOutput(`${patient}\n`);
    return { state: 'failed' };
  },
} as Partial<Images> as Images;

/** With tests and an end-to-end test that say something and end so. */
function activities(exitCode: number, script = `echo '${patient}'`): BuildActivities {
  const command = ['sh', '-c', `${script}; exit ${exitCode}`];
  const config = configuration({
    services: { discover: ['services/*'], test: command },
    environments: [{ name: 'dev', entersBy: 'push', endToEnd: { command } }],
  });
  const { repository } = disk;
  const commands = createCommandRunner();
  return createBuildActivities({
    config,
    repository,
    sourceOf: () => repository,
    objects: store,
    images,
    commands,
    workDirectory,
  });
}

const run = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);

describe.each(['testService', 'buildImage', 'runEndToEnd'] as const)('%s', (name) => {
  const change = async () => ({ service: 'claims', commit: await disk.git('rev-parse', 'HEAD') });
  const source = { committedAt: '2026-01-01T00:00:00Z' } as never;
  const failure = async (): Promise<ApplicationFailure> => {
    const input = { change: await change(), source, environment: 'dev' };
    const error: unknown = await run<unknown>(() => activities(1)[name](input)).catch(
      (error: unknown) => error,
    );
    if (error instanceof ApplicationFailure) return error;
    throw error;
  };

  test('that fails tells Temporal where its log is, and nothing of what is in it', async () => {
    const { message, details, nonRetryable } = await failure();
    const [key = ''] = stored.keys();
    expect(message).toMatch(new RegExp(`failed\\. The log: ${key}$`));
    expect(details).toEqual([{ logs: [key] }]);
    expect(nonRetryable).toBe(true);
    expect(stored.get(key)).toContain(patient);
    expect(JSON.stringify([message, details])).not.toContain('4711');
  });

  test('that fails while the object store is away is told all the same, and not done again', async () => {
    store.put = isAway;
    const { message, details, nonRetryable } = await failure();
    expect(message).toMatch(
      /failed\. The log could not be stored as logs\/claims\/.*\.log: The object store is away\.$/,
    );
    expect(nonRetryable).toBe(true);
    expect(JSON.stringify([message, details])).not.toContain('4711');
  });
});

test('an end-to-end test is told what it tests, and what was there before', async () => {
  const commit = await disk.git('rev-parse', 'HEAD');
  const image = (digit: string) => ({
    name: 'registry.example/claims',
    digest: `sha256:${digit.repeat(64)}`,
  });
  const told = async (images: { image?: ReturnType<typeof image>; previous?: ReturnType<typeof image> }) => {
    const change = { service: 'claims', commit };
    const { log = '' } = await run(() =>
      activities(0, 'env | grep ^GITOPS_ | sort').runEndToEnd({ change, environment: 'dev', ...images }),
    );
    return stored.get(log)?.trimEnd().split('\n');
  };
  const always = [`GITOPS_COMMIT=${commit}`, 'GITOPS_ENVIRONMENT=dev'];
  expect(await told({ image: image('1'), previous: image('0') })).toEqual([
    ...always,
    `GITOPS_IMAGE=registry.example/claims@sha256:${'1'.repeat(64)}`,
    `GITOPS_PREVIOUS_IMAGE=registry.example/claims@sha256:${'0'.repeat(64)}`,
    'GITOPS_SERVICE=claims',
  ]);
  expect(await told({})).toEqual([...always, 'GITOPS_SERVICE=claims']);
});

test('tests that a repository leaves out of its archives are run, and fail as any others', async () => {
  const commit = await disk.commit('a test that fails', {
    '.gitattributes': '**/tests export-ignore\n',
    'services/claims/tests/total.sh': "echo 'this test fails'; exit 1\n",
  });
  // As test runners do: those that are there.
  const runner = 'set -e; for test in tests/*.sh; do [ ! -e "$test" ] || sh "$test"; done';
  const change = { service: 'claims', commit };
  await expect(run(() => activities(0, runner).testService({ change }))).rejects.toMatchObject({
    type: 'TestsFailed',
  });
  expect([...stored.values()]).toEqual([expect.stringContaining('this test fails')]);
});

test('tests that succeed while the object store is away have succeeded', async () => {
  store.put = isAway;
  const commit = await disk.git('rev-parse', 'HEAD');
  const change = { service: 'claims', commit };
  expect(await run(() => activities(0).testService({ change }))).toEqual({});
});

test('a Dockerfile that leads to a file of this machine is not even read', async () => {
  const commit = await disk.entry('120000', 'services/claims/Dockerfile', '/etc/passwd');
  const change = { service: 'claims', commit };
  await expect(run(() => activities(0).buildImage({ change, source: {} as never }))).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringMatching(
      /^services\/claims\/Dockerfile is a link that leads out of the repository\. /,
    ) as string,
  });
});
