import { expect } from 'vitest';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };

test('a change goes through dev, a review in staging and a quorum in production', async ({ rig }) => {
  const delivery = await rig.deliver(change);
  await rig.sees(change, { state: 'waiting', waitingFor: 'a review of pull request #1: https://forge/1' });
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
  await rig.sees(change, { waitingFor: '1 of 2 approvals' });
  await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });

  const result = await delivery.result();
  expect(result.state).toBe('succeeded');
  expect(result.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'verify succeeded',
    'test succeeded',
    'build succeeded',
    'dev succeeded',
    'staging succeeded',
    'production succeeded',
  ]);
  expect(rig.world.effects).toEqual([
    `write dev claims/${change.commit}`,
    `open staging claims/${change.commit}`,
    `merge staging claims/${change.commit}`,
    'end-to-end staging',
    `open production claims/${change.commit}`,
    `show diff production claims/${change.commit}`,
    `merge production claims/${change.commit}`,
    'sync production merge-2',
  ]);
  expect(rig.world.deliveries).toEqual([result]);
});
