import { expect } from 'vitest';
import { failed, refused } from '../../src/activities/failures.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };

test('a change goes through dev, a review in staging and a quorum in production', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting', waitingFor: 'a review of pull request #1: https://forge/1' });
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
  await rig.sees(change, { waitingFor: '1 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });

  const result = await delivery.result();
  expect(result.state).toBe('succeeded');
  expect(result.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'verify succeeded',
    'test succeeded',
    'build succeeded',
    'dev succeeded',
    'staging succeeded',
    'production succeeded',
  ]);
  expect(rig.world.effects).toEqual([
    `write dev claims/${change.commit}`,
    `open staging claims/${change.commit}`,
    `merge staging claims/${change.commit}`,
    'end-to-end staging',
    `open production claims/${change.commit}`,
    `merge production claims/${change.commit}`,
    'sync production merge-2',
  ]);
  expect(rig.world.deliveries).toEqual([result]);
});

test('a failing test ends the delivery before anything is written, and says why', async ({ rig }) => {
  rig.world.tests = () => Promise.reject(failed('TestsFailed', 'test_eligibility: expected 422'));
  const delivery = await rig.deliver(change);
  await expect(delivery.result()).rejects.toThrow();
  const seen = await rig.sees(change, { state: 'failed' });
  expect(seen.reason).toBe('test_eligibility: expected 422');
  expect(rig.world.effects).toEqual([]);
});

test.for(['dev', 'staging'])(
  'a release that %s could not run is written neither there nor any further',
  async (environment, { rig }) => {
    const reason = 'base/ of claims does not name the image registry/claims: its images are nginx.';
    const preview = rig.world.hold(`${environment} previewRelease`);
    await rig.deliver(change);
    await preview.begun;
    preview.fail(refused(reason));
    await rig.sees(change, { state: 'failed', environments: { [environment]: { state: 'failed', reason } } });
    expect(rig.world.effects).toEqual(environment === 'dev' ? [] : [`write dev claims/${change.commit}`]);
  },
);

test('what failed names its logs: that of a step, and those of an environment', async ({ rig }) => {
  rig.world.tests = () => Promise.reject(failed('TestsFailed', 'The log: logs/test.log', 'logs/test.log'));
  await rig.deliver(change);
  const first = await rig.sees(change, { state: 'failed' });
  expect(first.steps[1]).toMatchObject({ name: 'test', state: 'failed', log: 'logs/test.log' });

  rig.world.tests = () => Promise.resolve();
  rig.world.health = async () => ({
    state: 'failed',
    reason: 'its log: logs/app.log',
    logs: ['logs/app.log'],
  });
  const other = { ...change, commit: World.commit(8) };
  await rig.deliver(other);
  const second = await rig.sees(other, { state: 'failed' });
  expect(second.environments['dev']).toMatchObject({ state: 'failed', logs: ['logs/app.log'] });
});

test('an unknown service is refused', async ({ rig }) => {
  const delivery = await rig.deliver({ ...change, service: 'unknown' });
  await expect(delivery.result()).rejects.toThrow();
  expect(await delivery.query<object>('status')).toMatchObject({
    state: 'failed',
    reason: 'There is no service unknown.',
  });
});

test('a delivery that failed may be started again', async ({ rig }) => {
  rig.world.tests = () => Promise.reject(failed('TestsFailed', 'no'));
  await expect((await rig.deliver(change)).result()).rejects.toThrow();
  rig.world.tests = () => Promise.resolve();
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
});

test('a rejected review ends the change there and closes its pull request', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.review('staging', 'claims', 'reject');
  const { state, reason } = await delivery.result();
  expect({ state, reason }).toEqual({ state: 'rejected', reason: 'reviewer asked for changes in #1.' });
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
});

test('a pull request that somebody merged without a review is not taken for reviewed', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.touch('staging', 'claims', { state: 'merged' });
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).reason).toMatch(/merged #1 without a review/);
});

test('a pull request that somebody closed ends the change there', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.touch('staging', 'claims', { state: 'closed' });
  expect((await delivery.result()).state).toBe('rejected');
});

test('a pull request that somebody edited is closed, not merged', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.touch('staging', 'claims', { edited: 'its head is another commit' });
  await expect(delivery.result()).rejects.toThrow();
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
});

test('a failing end-to-end test says what runs there, and why it failed', async ({ rig }) => {
  const { staging } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  const { begun, fail } = rig.world.hold('staging runEndToEnd');
  const delivery = await rig.deliver(change);
  await begun;
  fail(failed('EndToEndFailed', 'a bad claim was accepted'));
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).environments['staging']).toMatchObject({
    state: 'failed',
    reason: 'a bad claim was accepted',
    health: 'Healthy',
    pullRequest: { number: 1 },
  });
  const { current, lastHealthy } = await rig.view('staging', 'claims');
  expect(current?.change).toEqual(change);
  expect(lastHealthy).toBeUndefined();
});

test('an end-to-end test is told which image it tests, and which was healthy there before', async ({
  rig,
}) => {
  rig.world.environments = ['staging'];
  const { staging } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  const next = { ...change, commit: World.commit(8) };
  const first = await (await rig.deliver(change)).result();
  const second = await (await rig.deliver(next)).result();
  const of = (delivery: typeof first) => ({ name: 'registry/claims', digest: delivery.image?.digest });
  expect(rig.world.tested).toEqual([
    { change, environment: 'staging', image: of(first) },
    { change: next, environment: 'staging', image: of(second), previous: of(first) },
  ]);
});

test('what cannot be rendered at the merge is not synced', async ({ rig }) => {
  const { staging } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  const { begun, fail } = rig.world.hold('production renderRelease');
  const delivery = await rig.deliver(change);
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  for (const by of ['board-1', 'board-2']) await rig.decide('production', { change, verdict: 'approve', by });
  await begun;
  fail(refused('The overlay renders to nothing.'));
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).environments['production']).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(
      /^The overlay renders to nothing\. Pull request #2 is merged but not synced/,
    ) as unknown,
  });
  expect(rig.world.effects.at(-1)).toBe(`merge production claims/${change.commit}`);
});

test('an unhealthy release fails the change, and the next one may come', async ({ rig }) => {
  rig.world.health = () =>
    Promise.resolve({ state: 'failed', reason: 'CrashLoopBackOff', health: 'Degraded' });
  await expect((await rig.deliver(change)).result()).rejects.toThrow();
  expect((await rig.status(change)).environments['dev']).toMatchObject({
    state: 'failed',
    health: 'Degraded',
    reason: 'CrashLoopBackOff',
  });
  const next = { ...change, commit: World.commit(8) };
  rig.world.health = () =>
    Promise.resolve({ state: 'healthy', revision: 'r', health: 'Healthy', sync: 'Synced' });
  await rig.deliver(next);
  await rig.sees(next, { state: 'waiting' });
  expect((await rig.view('dev', 'claims')).lastHealthy?.change).toEqual(next);
});

test.describe('where environments are called as steps are', () => {
  test.override({ environments: ['build', 'test'] });

  test('each is shown as what it is', async ({ rig }) => {
    const { health, settings } = rig.world;
    Object.assign(settings, { build: settings['dev'], test: settings['dev'] });
    rig.world.health = async (place) =>
      place.environment === 'test' ? { state: 'failed', reason: 'CrashLoopBackOff' } : health(place);
    await rig.deliver(change);
    const { steps, environments } = await rig.sees(change, { state: 'failed' });
    expect(steps.map(({ name, state, error }) => [name, state, error])).toEqual([
      ['verify', 'succeeded', undefined],
      ['test', 'succeeded', undefined],
      ['build', 'succeeded', undefined],
      ['build', 'succeeded', undefined],
      ['test', 'failed', 'CrashLoopBackOff'],
    ]);
    expect(environments).toMatchObject({ build: { state: 'succeeded' }, test: { state: 'failed' } });
  });
});
