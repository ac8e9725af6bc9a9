import { expect, vi } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { pullRequestChanged } from '../../src/model/temporal/messages.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

// What Temporal suggests at 4,096 events, here it suggests at sixty.
useTemporal('limit.historyCount.suggestContinueAsNew=60');

const change = { service: 'claims', commit: World.commit(1) };

/** Somebody comments on a pull request, again and again, until another run goes on with it. */
async function comment(rig: Rig, environment: string, number: number): Promise<void> {
  const handle = rig.environment(environment, 'claims');
  const { runId } = await handle.describe();
  await expect
    .poll(
      async () => {
        await handle.signal(pullRequestChanged, { number });
        return (await handle.describe()).runId;
      },
      { timeout: 30_000 },
    )
    .not.toBe(runId);
}

test('a promotion that people talk about for long goes on in another run, and asks nobody twice', async ({
  rig,
}) => {
  await rig.deliver(change);
  await rig.sees(change, { waitingFor: 'a review of pull request #1: https://forge/1' });
  await comment(rig, 'staging', 1);
  await rig.sees(change, { waitingFor: 'a review of pull request #1: https://forge/1' });
  await rig.review('staging', 'claims', 'approve');

  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
  await comment(rig, 'production', 2);
  await rig.sees(change, { waitingFor: '1 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });
  await rig.sees(change, { state: 'succeeded' });
  expect(rig.world.effects.filter((effect) => effect.startsWith('open'))).toHaveLength(2);
  expect(rig.world.effects.filter((effect) => effect.startsWith('merge'))).toHaveLength(2);
});

test('a promotion that goes on in another run is withdrawn there', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { waitingFor: 'a review of pull request #1: https://forge/1' });
  await comment(rig, 'staging', 1);
  await delivery.cancel();
  await expect(delivery.result()).rejects.toThrow();
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
});

test('an environment that cannot find out for long what runs goes on with that in another run, and loses no ask', async ({
  rig,
}) => {
  const { memories } = rig.world;
  const recalled = vi.spyOn(memories, 'get').mockImplementation(() => {
    throw refused('The forge refuses the token.');
  });
  await rig.deliver(change);
  const dev = rig.environment('dev', 'claims');
  await expect.poll(() => recalled.mock.calls.length, { timeout: 30_000 }).toBeGreaterThan(0);
  const { runId } = await dev.describe();
  await expect
    .poll(
      async () => {
        await rig.passTime(dev, 6 * 60_000);
        return (await dev.describe()).runId;
      },
      { timeout: 60_000 },
    )
    .not.toBe(runId);
  recalled.mockRestore();
  await rig.passTime(dev, 6 * 60_000);
  await rig.sees(change, { waitingFor: 'a review of pull request #1: https://forge/1' });
});
