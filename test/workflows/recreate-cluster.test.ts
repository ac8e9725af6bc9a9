import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { drillId, recreationId } from '../../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { recreationStatus } from '../../src/model/temporal/messages.ts';
import { phaseNames, type Recreation } from '../../src/model/recovery/recreation.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { untilActivityIsCancelled } from '../support/temporal.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';

useTemporal();

const cluster = 'live';
const key = 'argocd/live/2026-01-01/020000Z-0000000000000000';

const start = ({ platform, temporal }: Rig, workflowId: string, more: object = {}) =>
  temporal.client.workflow.start<(input: object) => Promise<Recreation>>('recreateCluster', {
    workflowId,
    taskQueue: taskQueue(platform, 'delivery'),
    args: [{ platform, cluster, ...more }],
    typedSearchAttributes: [{ key: attributes.platform, value: platform }],
  });

const recreate = (rig: Rig, more: object = {}) => start(rig, recreationId(rig.platform, cluster), more);
const drill = (rig: Rig) => start(rig, drillId(rig.platform, cluster, '1'), { drill: true });

/** How it ended that did not end well. */
async function failureOf(handle: Awaited<ReturnType<typeof start>>) {
  const error = await handle.result().catch((thrown: unknown) => thrown);
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  const { type, message, details } = error.cause;
  const [recreation] = details as [Recreation];
  const states = Object.fromEntries(recreation.phases.map(({ name, state }) => [name, state]));
  return { type, message, recreation, states };
}

test('a cluster is rebuilt in the safe order, and its state tells of every phase', async ({ rig }) => {
  const recreation = await (await recreate(rig, { key, allowOlder: true })).result();
  expect(rig.world.effects).toEqual([
    `check ${key}, however old`,
    'install',
    `restore ${key}`,
    'start',
    'sync the frame',
    'sync -1',
    'sync 0',
    'automate others',
    'sync roots',
    'automate roots',
    'report 8 phases',
    'finish',
  ]);
  expect(recreation).toMatchObject({
    cluster,
    drill: false,
    state: 'succeeded',
    plan: rig.world.plan,
    reason: '45 of 45 Applications came back. The report: recreations/live/1',
    report: 'recreations/live/1',
  });
  expect(recreation.phases.map(({ name }) => name)).toEqual(phaseNames);
  for (const { state, startedAt, finishedAt } of recreation.phases) {
    expect(state).toBe('succeeded');
    expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
  }
  expect(recreation.phases.map(({ detail }) => detail)).toEqual([
    `${key} with 45 Applications, 3 of them roots`,
    '60 objects of Argo CD',
    '40 objects created, 5 there already, 0 failed',
    undefined,
    'namespaces, projects and secrets of 3 of 3 roots',
    '42 of 42 Applications are healthy',
    'of 42 Applications',
    '3 of 3 are healthy',
    '45 of 45 Applications came back.',
    undefined,
  ]);
});

test('while it runs, its state tells what is done and what is left', async ({ rig }) => {
  const { begun, goOn } = rig.world.hold('deliver startArgoCd');
  const handle = await recreate(rig);
  await begun;
  const { state, phases } = await handle.query(recreationStatus);
  expect(state).toBe('running');
  expect(phases.map((phase) => phase.state)).toEqual([
    ...['succeeded', 'succeeded', 'succeeded', 'running'],
    ...Array<string>(6).fill('pending'),
  ]);
  goOn();
  await handle.result();
});

test('not everything came back: it fails with the report, and backups and deliveries go on', async ({
  rig,
}) => {
  rig.world.report = { ...rig.world.report, passed: false, summary: '44 of 45 Applications came back.' };
  const { type, message, recreation, states } = await failureOf(await recreate(rig));
  expect({ type, message }).toEqual({
    type: 'NotRecovered',
    message: '44 of 45 Applications came back. The report: recreations/live/1',
  });
  expect(recreation).toMatchObject({ state: 'failed', report: 'recreations/live/1' });
  expect(states).toMatchObject({ report: 'succeeded', finish: 'succeeded' });
});

test('what is refused before anything was changed is a refusal, and there is nothing to finish', async ({
  rig,
}) => {
  for (const begin of [recreate, drill]) {
    const { begun, fail } = rig.world.hold('deliver checkRecreation');
    const handle = await begin(rig);
    await begun;
    fail(refused('The cluster is alive.'));
    expect(await failureOf(handle)).toMatchObject({ type: 'Refused', message: 'The cluster is alive.' });
  }
  expect(rig.world.effects).toEqual([]);
});

test('one that fails in the middle says how to go on, and leaves what tells that it was rebuilt', async ({
  rig,
}) => {
  const { begun, fail } = rig.world.hold('deliver syncFrame');
  const handle = await recreate(rig);
  await begun;
  fail(ApplicationFailure.nonRetryable('The API server went away.'));
  const { type, message, states } = await failureOf(handle);
  expect({ type, message }).toEqual({
    type: 'NotRecovered',
    message: `The API server went away. What was rebuilt of live stays. Go on from there: gitops recreate-cluster --backup ${key}`,
  });
  expect(states).toMatchObject({ start: 'succeeded', frame: 'failed', sync: 'pending', finish: 'pending' });
  expect(rig.world.effects.at(-1)).toBe('start');
});

test('one that is cancelled stops where it is', async ({ rig }) => {
  const { begun } = rig.world.hold('deliver syncWave');
  const handle = await recreate(rig);
  await begun;
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
  const { state, reason } = await handle.query(recreationStatus);
  expect({ state, reason }).toEqual({
    state: 'failed',
    reason: `It was cancelled. What was rebuilt of live stays. Go on from there: gitops recreate-cluster --backup ${key}`,
  });
  expect(rig.world.effects.at(-1)).toBe('sync the frame');
});

test('so does one whose worker dies of the cancel', async ({ rig }) => {
  const { begun, fail } = rig.world.hold('deliver syncWave', { hears: false });
  const handle = await recreate(rig);
  await begun;
  await handle.cancel();
  await untilActivityIsCancelled(handle);
  fail(new Error('The worker died.'));
  await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
  expect((await handle.query(recreationStatus)).reason).toContain('It was cancelled.');
});

const drilled = ['check the newest', 'install into the scratch control plane'];

test('a drill restores and reports, syncs nothing, and is torn down', async ({ rig }) => {
  const recreation = await (await drill(rig)).result();
  expect(rig.world.effects).toEqual([...drilled, `restore ${key}`, 'report 3 phases', 'finish']);
  expect(recreation).toMatchObject({ drill: true, state: 'succeeded' });
});

test('a drill that fails or is cancelled is torn down all the same', async ({ rig }) => {
  const held = rig.world.hold('deliver restoreBackup');
  const failing = await drill(rig);
  await held.begun;
  held.fail(ApplicationFailure.nonRetryable('The disk is full.'));
  expect(await failureOf(failing)).toMatchObject({ type: 'NotRecovered', message: 'The disk is full.' });
  expect(rig.world.effects).toEqual([...drilled, 'finish']);

  const again = rig.world.hold('deliver restoreBackup');
  const cancelled = await drill(rig);
  await again.begun;
  await cancelled.cancel();
  await expect(cancelled.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
  expect(rig.world.effects).toEqual([...drilled, 'finish', ...drilled, 'finish']);
});

test.for([
  [(platform: string) => `${platform}/recreate-mine`, {}],
  [(platform: string) => drillId(platform, cluster, '1'), {}],
  [(platform: string) => recreationId(platform, cluster), { drill: true }],
  [(platform: string) => recreationId(platform, cluster), { key: 'the newest' }],
] as const)('one that was started by hand, and wrongly, is refused', async ([id, more], { rig }) => {
  const handle = await start(rig, id(rig.platform), more);
  await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'Refused' } });
  expect(rig.world.effects).toEqual([]);
});

const hour = 3_600_000;

/** Tried again every seven hours, so that a day does not take thousands of attempts. */
const away = ApplicationFailure.create({ message: 'connect ECONNREFUSED', nextRetryDelay: '7 hours' });

/** A recreation to which the API server is away from one step on. */
async function cutOff(rig: Rig, point: string) {
  const { begun, fail } = rig.world.hold(point);
  const recreation = await recreate(rig);
  await begun;
  fail(away);
  return recreation;
}

test('a recreation sits out hours without the API server', async ({ rig }) => {
  const recreation = await cutOff(rig, 'deliver syncWave');
  await rig.passTime(recreation, 10 * hour);
  expect(rig.world.effects.at(-1)).toBe('sync the frame');
  rig.world.hold('deliver syncWave').goOn();
  await rig.passTime(recreation, 10 * hour);
  expect(await recreation.result()).toMatchObject({ state: 'succeeded' });
});

test('a recreation that does not get on for a day ends, and says where it stood', async ({ rig }) => {
  const recreation = await cutOff(rig, 'deliver startArgoCd');
  await rig.passTime(recreation, 20 * hour);
  expect((await recreation.describe()).status.name).toBe('RUNNING');
  await rig.passTime(recreation, 5 * hour);
  const { type, message } = await failureOf(recreation);
  expect(type).toBe('NotRecovered');
  expect(message).toMatch(/ECONNREFUSED.*stays/);
});
