import { expect } from 'vitest';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };
const hour = 3_600_000;

test('a review that nobody gives in time fails the change and closes its pull request', async ({ rig }) => {
  const { staging } = rig.world.settings;
  if (staging) staging.reviewWithinMs = 48 * hour;
  const delivery = await rig.deliver(change);
  await rig.sees(change, { waitingFor: 'a review of pull request #1: https://forge/1' });
  await rig.passTime(rig.environment('staging', 'claims'), 47 * hour);
  expect((await rig.status(change)).state).toBe('waiting');
  await rig.passTime(rig.environment('staging', 'claims'), 2 * hour);
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).reason).toBe('Nobody reviewed #1 in time. Deliver the change again.');
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
});

test('decisions that nobody makes in time fail the change, and nothing is merged', async ({ rig }) => {
  const { staging, production } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  if (production?.approval.by === 'decisions') production.approval.expiresAfterMs = 48 * hour;
  const delivery = await rig.deliver(change);
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  await rig.passTime(rig.environment('production', 'claims'), 47 * hour);
  expect((await rig.status(change)).state).toBe('waiting');
  await rig.passTime(rig.environment('production', 'claims'), 2 * hour);
  await expect(delivery.result()).rejects.toThrow();
  expect((await rig.status(change)).reason).toBe('The time to decide is over. Deliver the change again.');
  expect(rig.world.pullRequests.get(2)?.state).toBe('closed');
  expect(rig.world.effects.at(-1)).toMatch(/^open production/);
});

test('a delivery whose environment was terminated asks again, and goes on where it was', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.environment('staging', 'claims').terminate();
  await rig.passTime(delivery, 31 * hour);
  const asked = async () => (await rig.view('staging', 'claims')).active;
  await expect.poll(asked).toMatchObject({ change, view: { pullRequest: { number: 1 } } });
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  expect(rig.world.pullRequests.size).toBe(2);
  await delivery.terminate();
});
