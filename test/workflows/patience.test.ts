import { expect } from 'vitest';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal({ skipsTime: true });

const change = { service: 'claims', commit: World.commit(7) };

/**
 * How long people get here: a deadline that does not fall on the very moment at which a delivery asks again, every thirty
 * hours, since the time-skipping server refuses to continue a workflow as new while a signal comes in ("invalid history
 * builder state for action") and then leaves it hanging. The real server has it done again.
 */
const patienceMs = 20 * 60 * 60_000;

test('a review that nobody gives in time fails the change and closes its pull request', async ({ rig }) => {
  const { staging } = rig.world.settings;
  if (staging) staging.reviewWithinMs = patienceMs;
  const delivery = await rig.deliver(change);
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).reason).toBe('Nobody reviewed #1 in time. Deliver the change again.');
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
});

test('decisions that nobody makes in time fail the change, and nothing is merged', async ({ rig }) => {
  const { staging, production } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  if (production?.approval.by === 'decisions') production.approval.expiresAfterMs = patienceMs;
  const delivery = await rig.deliver(change);
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).reason).toBe('The time to decide is over. Deliver the change again.');
  expect(rig.world.pullRequests.get(2)?.state).toBe('closed');
  expect(rig.world.effects.at(-1)).toMatch(/^open production/);
});
