import { expect } from 'vitest';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

/** Of its own: where workers of other tests left something to do, this server does not skip time. */
useTemporal({ skipsTime: true });

const change = { service: 'claims', commit: World.commit(7) };

test('a delivery whose environment was terminated asks again, and goes on where it was', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.environment('staging', 'claims').terminate();
  await rig.temporal.sleep('31 hours');
  await expect.poll(async () => (await rig.view('staging', 'claims')).active?.change).toEqual(change);
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  expect(rig.world.pullRequests.size).toBe(2);
  await delivery.terminate();
});
