import { expect } from 'vitest';
import { CancelledFailure } from '@temporalio/common';
import { untilActivityIsCancelled } from '../support/temporal.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const at = (position: number) => ({ service: 'claims', commit: World.commit(position) });
const change = at(1);
const cancelled = 'The delivery was cancelled.';
const stays = `${cancelled} The release was written before that and stays.`;
const unsynced =
  `${cancelled} Pull request #2 is merged but not synced: production runs on as before. ` +
  'Deliver the change again, or a newer one, or revert the merge.';

/** In the order in which they happen, when nobody has to be asked. */
const effects = [
  `write dev claims/${change.commit}`,
  `open staging claims/${change.commit}`,
  `merge staging claims/${change.commit}`,
  'end-to-end staging',
  `open production claims/${change.commit}`,
  `merge production claims/${change.commit}`,
  'sync production merge-2',
];

/** An effect that is under way is awaited, and what it has brought about is said; the rest is given up. */
const steps = [
  { point: 'deliver verifyChange', had: 0 },
  { point: 'deliver testService', had: 0 },
  { point: 'deliver buildImage', had: 0 },
  { point: 'dev previewRelease', awaited: true, had: 0, says: cancelled },
  { point: 'dev writeRelease', awaited: true, had: 1, says: stays },
  { point: 'dev awaitHealthy', had: 1, says: stays },
  { point: 'staging openPullRequest', awaited: true, had: 2, says: cancelled },
  { point: 'staging mergePullRequest', awaited: true, had: 3, says: stays },
  { point: 'staging awaitHealthy', had: 3, says: stays },
  { point: 'staging runEndToEnd', had: 3, says: stays },
  { point: 'production openPullRequest', awaited: true, had: 5, says: cancelled },
  { point: 'production mergePullRequest', awaited: true, had: 6, says: unsynced },
  { point: 'production startSync', had: 6, says: unsynced },
  { point: 'production awaitHealthy', had: 7, says: stays },
];

test.for(['deliver testService', 'staging runEndToEnd'])(
  'a cancel during %s ends the delivery as cancelled when the worker dies of it',
  async (point, { rig }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    const { begun, fail } = rig.world.hold(point, { hears: false });
    const delivery = await rig.deliver(change);
    await begun;
    await delivery.cancel();
    const stopped = point.startsWith('deliver') ? delivery : rig.environment('staging', 'claims');
    await untilActivityIsCancelled(stopped);
    fail(new Error('The worker died.'));

    await expect(delivery.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    const { state, reason, environments } = await rig.status(change);
    expect({ state, reason }).toEqual({ state: 'failed', reason: cancelled });
    if (stopped !== delivery) expect(environments['staging']?.reason).toBe(stays);
  },
);

test.for(steps)(
  'a cancel during $point ends the delivery there',
  async ({ point, awaited, had, says }, { rig }) => {
    const { staging, production } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    if (production) production.approval = { by: 'none' };
    const [environment = ''] = point.split(' ');
    const { begun, goOn } = rig.world.hold(point);

    const delivery = await rig.deliver(change);
    await begun;
    await delivery.cancel();
    if (says !== undefined) {
      await expect.poll(() => rig.world.done, { timeout: 20_000 }).toContain(`${environment} withdrawAsk`);
    }
    if (awaited) goOn();

    await expect(delivery.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    const { state, reason, steps, environments } = await rig.status(change);
    expect({ state, reason }).toEqual({ state: 'failed', reason: cancelled });
    expect(steps.find((step) => step.state === 'failed')?.error).toBe(cancelled);
    if (says !== undefined)
      expect(environments[environment]).toMatchObject({ state: 'failed', reason: says });
    expect(rig.world.effects).toEqual(effects.slice(0, had));
    goOn();

    // The way is free for the next one.
    await rig.deliver(at(2));
    await rig.sees(at(2), { state: 'succeeded' });
  },
);

test('a cancel while people decide closes the pull request, and their decisions count for nothing', async ({
  rig,
}) => {
  const { staging } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  const delivery = await rig.deliver(change);
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
  await delivery.cancel();
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).environments['production']).toMatchObject({
    state: 'failed',
    reason: cancelled,
  });
  expect(rig.world.pullRequests.get(2)?.state).toBe('closed');
  await expect(rig.decide('production', { change, verdict: 'approve', by: 'board-2' })).rejects.toMatchObject(
    {
      cause: { message: expect.stringContaining('waits for no decision here') as unknown },
    },
  );
});

test('a cancel before the environment has heard of the change, or after somebody terminated it, ends at once', async ({
  rig,
}) => {
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.environment('staging', 'claims').terminate();
  const delivery = rig.temporal.client.workflow.getHandle((await rig.deliver(change)).workflowId);
  await delivery.cancel();
  await expect(delivery.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
  expect((await rig.status(change)).environments['staging']).toMatchObject({ reason: cancelled });
});
