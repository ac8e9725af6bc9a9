import { expect } from 'vitest';
import { createClient } from '../src/client.ts';
import { commandOf } from './support/cli.ts';
import { test, useTemporal } from './support/workflow-rig.ts';
import { World } from './support/world.ts';

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
