import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { createClient } from '../../src/client.ts';
import { queues } from '../../src/model/temporal/task-queues.ts';
import { workersOf } from '../../src/systems/temporal/workers.ts';
import { commandOf, startCommand } from '../support/cli.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };
const name = `claims/${change.commit}`;

test('a delivery whose environment was terminated asks again when it is nudged, as often as one likes', async ({
  rig,
}) => {
  const gitops = commandOf(rig);
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.environment('staging', 'claims').terminate();

  const { workflowId } = delivery;
  for (let time = 0; time < 2; time += 1) {
    const { exitCode, stdout } = await gitops('nudge', name, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ change: name, workflowId, environment: 'staging' });
  }
  const asked = async () => (await rig.view('staging', 'claims')).active;
  await expect.poll(asked).toMatchObject({ change, view: { pullRequest: { number: 1 } } });
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  expect(rig.world.pullRequests.size).toBe(2);

  await delivery.cancel();
  await expect(delivery.result()).rejects.toThrow();
  expect(await gitops('nudge', name)).toMatchObject({
    exitCode: 3,
    stderr: `gitops: ${name} has ended already: failed.`,
  });
});

test('a delivery that has asked nobody yet has nobody to ask again', async ({ rig }) => {
  const tested = Promise.withResolvers<void>();
  rig.world.tests = () => tested.promise;
  const { nudge } = createClient(rig.temporal.client, rig.platform);
  await rig.deliver(change);
  await rig.sees(change, { state: 'running' });
  await expect(nudge(name)).rejects.toMatchObject({
    kind: 'refused',
    message: `${name} has not come to an environment yet: there is nobody to ask again.`,
  });
  tested.resolve();
  await rig.sees(change, { state: 'waiting' });
});

test('a worker that lives is never called dead, and one that was killed is within half a minute', async ({
  rig,
}) => {
  await rig.endWorkers();
  const live = async () =>
    (await workersOf(rig.temporal.client, rig.platform, queues)).map(({ live }) => live.join());
  const nobody = queues.map(() => '');
  // They said that they end.
  await vi.waitFor(async () => expect(await live()).toEqual(nobody), 10_000);

  const worker = startCommand(rig, ['worker'], {}, 120_000);
  await worker.says('ready: ');
  const served = queues.map(() => expect.stringMatching(`^${worker.pid}@`) as unknown);
  await vi.waitFor(async () => expect(await live()).toEqual(served), 10_000);
  // At first it is known by its polls, then by its heartbeats.
  for (const until = Date.now() + 12_000; Date.now() < until; await sleep(500)) {
    expect(await live()).toEqual(served);
  }

  const killedMs = Date.now();
  await worker.kill();
  await vi.waitFor(async () => expect(await live()).toEqual(nobody), { timeout: 30_000, interval: 500 });
  const [{ lastSeenMs = 0 } = {}] = await workersOf(rig.temporal.client, rig.platform, queues);
  expect(Math.abs(killedMs - lastSeenMs)).toBeLessThan(10_000);
}, 120_000);
