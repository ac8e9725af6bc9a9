import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogPart } from '../src/client.ts';
import { objectKeys } from '../src/model/object-keys.ts';
import { makePlatform, stages, type Platform } from './support/platform.ts';

/** Nothing is replaced here: the program's own processes, on the stack's Temporal, forge, registry, S3 and Argo CD. */
let platform: Platform;

beforeAll(async () => {
  platform = await makePlatform(['claims', 'gateway']);
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, 120_000);

afterAll(() => platform.remove(), 60_000);

test('a commit goes through all environments, and its image runs in each of them', async () => {
  const commit = await platform.commit('claims');
  const { change } = await platform.gitops.deliver({ service: 'claims', commit });

  const delivery = await platform.carry(change);

  expect(delivery.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'verify succeeded',
    'test succeeded',
    'build succeeded',
    ...stages.map((environment) => `${environment} succeeded`),
  ]);
  const image = `${delivery.image?.reference.split('@')[0]?.replace(/:[0-9a-f]{40}$/, '')}`;
  for (const environment of stages) {
    expect(delivery.environments[environment]).toMatchObject({
      state: 'succeeded',
      health: 'Healthy',
      sync: 'Synced',
      imageDigest: delivery.image?.digest,
    });
    expect(await platform.releaseCommits('claims', environment)).toHaveLength(1);
    const running = await platform.running('claims', environment);
    expect(running).toEqual([
      expect.stringMatching(new RegExp(`^${image}:${commit}@${delivery.image?.digest}$`)),
    ]);
  }
  expect(await platform.pullRequests('claims', 'staging')).toHaveLength(1);
  expect(await platform.pullRequests('claims', 'production')).toHaveLength(1);
}, 180_000);

test('what its steps wrote is printed, each below a line that says whose it is', async () => {
  const [{ change } = { change: '' }] = (await platform.gitops.list({ service: 'claims' })).changes;
  const [service, commit = ''] = change.split('/');
  const { stdout, exitCode } = await platform.command('logs', change);
  const headers = [...stdout.matchAll(/^==> (.*): attempt 1 of [0-9a-f]{8}, .* <==$/gm)].map(([, of]) => of);
  const short = `${service}/${commit.slice(0, 10)}`;
  expect(headers).toEqual([`${short} test`, `${short} build`, `${short} staging, end-to-end`]);
  expect(stdout).toContain('COPY . /app');
  expect(exitCode).toBe(0);

  const build = await platform.command('logs', change, '--step', 'build', '--follow', '--json');
  expect(build.exitCode).toBe(0);
  expect(JSON.parse(build.stdout)).toMatchObject({
    change,
    state: 'succeeded',
    logs: [{ step: 'build', source: 'build', attempt: 1, text: expect.stringContaining('COPY . /app') }],
  });
  const [{ key, size, text }] = (JSON.parse(build.stdout) as { logs: [LogPart] }).logs;
  expect(await platform.objects.get(key, { after: size - 10 })).toMatchObject({ body: text.slice(-10) });
  expect(await platform.objects.get(key, { after: size })).toMatchObject({ body: '' });

  expect(await platform.command('logs', change, '--step', 'tests')).toMatchObject({
    exitCode: 2,
    stderr: `gitops: ${change} has no step tests. It has: verify, test, build, dev, staging, production.`,
  });
}, 300_000);

test('what somebody does to the cluster past Git is told, by status and by doctor, with how to bring it back', async () => {
  const [{ change, commit } = { change: '', commit: '' }] = (
    await platform.gitops.list({ service: 'claims' })
  ).changes;
  const production = async () =>
    (await platform.gitops.status(change, { live: true })).environments['production']?.live;
  const asPromoted = {
    health: 'Healthy',
    sync: 'Synced',
    revision: expect.stringMatching(/^[0-9a-f]{40}$/),
  };
  await expect.poll(production, { timeout: 60_000 }).toEqual(asPromoted);

  // As kubectl rollout undo leaves it: Argo CD does not sync production by itself.
  const container = '/spec/template/spec/containers/0';
  const patch = [
    { op: 'replace', path: `${container}/image`, value: 'debian:bookworm-slim' },
    { op: 'add', path: `${container}/command`, value: ['sleep', 'infinity'] },
  ];
  const namespace = `${platform.name}-production`;
  await platform.kubectl([
    'patch',
    'deployment/claims',
    '-n',
    namespace,
    '--type=json',
    '-p',
    JSON.stringify(patch),
  ]);
  const what = expect.stringMatching(
    /^Its pods run debian:bookworm-slim, not sha256:[0-9a-f]{64}, .* past Git\.$/,
  );
  const remedy = expect.stringContaining(
    `Bring it back: gitops deliver --service claims --commit ${commit}`,
  ) as string;
  await expect
    .poll(production, { timeout: 60_000 })
    .toMatchObject({ sync: 'OutOfSync', drift: { what, remedy } });

  const { environments } = await platform.gitops.list({ service: 'claims', live: true });
  expect(environments.filter(({ live }) => live?.drift).map(({ environment }) => environment)).toEqual([
    'production',
  ]);
  expect((await platform.command('status')).stdout).toMatch(/! claims in production: Its pods run debian/);
  const { stdout } = await platform.command('doctor', '--json');
  const told = { name: 'claims in production', state: 'warning', remedy };
  expect(JSON.parse(stdout)).toMatchObject({
    checks: expect.arrayContaining([expect.objectContaining(told)]),
  });

  await platform.gitops.deliver({ service: 'claims', commit });
  // Nothing is new in staging, so nobody is asked there; in production people are told what is brought back.
  await platform.sees(change, {
    environments: {
      production: expect.objectContaining({
        summary: expect.stringMatching(
          /^Pods run debian:bookworm-slim, past Git: the sync takes that back\./,
        ),
      }),
    },
  });
  await platform.approve(change);
  await platform.sees(change, { state: 'succeeded' });
  await expect.poll(production, { timeout: 60_000 }).toEqual(asPromoted);

  // Both times are remembered, also when Temporal has forgotten them.
  const once = { state: 'succeeded', startedAt: expect.any(String), finishedAt: expect.any(String) };
  expect((await platform.gitops.status(change)).attempts).toEqual([once]);
  const stored = await platform.objects.get(objectKeys.delivery({ service: 'claims', commit }));
  expect(JSON.parse(stored?.body ?? '')).toMatchObject({ attempts: [once] });
}, 240_000);
