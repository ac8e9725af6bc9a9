import { expect } from 'vitest';
import { recreationId, taskQueue } from '../../src/model/ids.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';

useTemporal({ skipsTime: true });

const recreate = ({ platform, temporal }: Rig) =>
  temporal.client.workflow.start('recreateCluster', {
    workflowId: recreationId(platform, 'live'),
    taskQueue: taskQueue(platform, 'delivery'),
    args: [{ platform, cluster: 'live' }],
  });
const away = new Error('connect ECONNREFUSED');

test('a recreation sits out hours without the API server', async ({ rig }) => {
  const { begun, fail } = rig.world.hold('deliver syncWave');
  const recreation = await recreate(rig);
  await begun;
  fail(away);
  await rig.temporal.sleep('10 hours');
  expect(rig.world.effects.at(-1)).toBe('sync the frame');
  rig.world.hold('deliver syncWave').goOn();
  expect(await recreation.result()).toMatchObject({ state: 'succeeded' });
});

test('a recreation that does not get on for a day ends, and says where it stood', async ({ rig }) => {
  const { begun, fail } = rig.world.hold('deliver startArgoCd');
  const began = await rig.temporal.currentTimeMs();
  const recreation = await recreate(rig);
  await begun;
  fail(away);
  await expect(recreation.result()).rejects.toMatchObject({
    cause: { type: 'NotRecovered', message: expect.stringMatching(/ECONNREFUSED.*stays/) as unknown },
  });
  expect((await rig.temporal.currentTimeMs()) - began).toBeLessThan(25 * 3_600_000);
});
