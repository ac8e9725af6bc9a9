import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { expect } from 'vitest';
import type { Change } from '../../src/model/delivery/change.ts';
import { deliverId } from '../../src/model/temporal/workflow-ids.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

// Otherwise a queue has four parts, each of which is fair for itself, and a test would have to count on its luck.
useTemporal('matching.numTaskqueueReadPartitions=1', 'matching.numTaskqueueWritePartitions=1');

const of = (service: string, position = 1): Change => ({ service, commit: World.commit(position) });
const testing = {
  steps: expect.arrayContaining([expect.objectContaining({ name: 'test', state: 'running' })]) as never,
};

/** Starts deliveries whose tests wait for one another. */
async function queueUp(rig: Rig, changes: Change[]): Promise<void> {
  await Promise.all(changes.map((change) => rig.deliver(change)));
  for (const change of changes) await rig.sees(change, testing);
}

test.override({ slots: { build: 1, production: 1 } });

test('fifty changes of one service do not hold up the one of another', async ({ rig }) => {
  const goOn = Promise.withResolvers<void>();
  const tested: string[] = [];
  rig.world.tests = async ({ service }) => {
    await goOn.promise;
    tested.push(service);
  };
  await queueUp(
    rig,
    Array.from({ length: 50 }, (_, index) => of('claims', index + 1)),
  );
  await queueUp(rig, [of('billing')]);
  goOn.resolve();
  await expect.poll(() => tested, { timeout: 20_000 }).toContain('billing');
  // One was under way, and the worker may have had the next one already; in order of arrival it would be the last.
  expect(tested.indexOf('billing')).toBeLessThan(5);
});

test('Temporal gives up no tests that only wait for a slot', async ({ rig }) => {
  const { begun } = rig.world.hold('deliver testService');
  await rig.deliver(of('claims'));
  await begun;
  await queueUp(rig, [of('billing')]);
  const { events } = await rig.temporal.client.workflow
    .getHandle(deliverId(rig.platform, of('billing')))
    .fetchHistory();
  const [scheduled] = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: activity }) =>
    activity?.activityType?.name === 'testService' ? activity : [],
  );
  // Five hundred tests and builds of half an hour each, two at a time.
  const crowdMs = (500 * 2 * 1_800_000) / 2;
  expect(tsToMs(scheduled?.scheduleToStartTimeout)).toBeGreaterThan(crowdMs);
  // None means that there is none.
  expect(tsToMs(scheduled?.scheduleToCloseTimeout ?? undefined)).toBe(0);
});

test('who waits to sync holds up nobody, says what for, and is given up at once', async ({ rig }) => {
  const { staging, production } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  if (production) production.approval = { by: 'none' };
  const waits = 'Waits for the operation of somebody on claims-production.';
  rig.world.inTheWay = ({ service }) =>
    service === 'claims'
      ? ApplicationFailure.create({
          message: waits,
          type: 'Busy',
          category: ApplicationFailureCategory.BENIGN,
        })
      : undefined;
  const delivery = await rig.deliver(of('claims'));
  const saying = {
    steps: expect.arrayContaining([
      expect.objectContaining({ name: 'production', progress: waits }),
    ]) as never,
  };
  await rig.sees(of('claims'), saying);
  await rig.deliver(of('billing'));
  await rig.sees(of('billing'), { state: 'succeeded' });

  // By now it waits for longer than a cancel may take.
  await delivery.cancel();
  const cancelledAt = Date.now();
  await expect(delivery.result()).rejects.toThrow();
  expect(Date.now() - cancelledAt).toBeLessThan(5000);
  expect((await rig.status(of('claims'))).environments['production']).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('is merged but not synced') as unknown,
  });
});
