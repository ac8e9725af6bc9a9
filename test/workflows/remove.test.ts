import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { environmentsOf } from '../../src/client/list.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const at = (position: number) => ({ service: 'claims', commit: World.commit(position) });
const decisions = { waitingFor: '2 of 2 approvals' };

async function approve(rig: Rig, position: number): Promise<void> {
  await rig.sees(at(position), decisions);
  for (const by of ['board-1', 'board-2']) {
    await rig.decide('production', { change: at(position), verdict: 'approve', by });
  }
}

async function carry(rig: Rig, position: number): Promise<void> {
  const delivery = await rig.deliver(at(position));
  await rig.sees(at(position), { state: 'waiting' });
  await rig.review('staging', 'claims', 'approve');
  await approve(rig, position);
  expect(await delivery.result()).toMatchObject({ state: 'succeeded' });
}

const listed = async ({ temporal, platform }: Rig) =>
  (await environmentsOf(temporal.client, [`GitopsPlatform = "${platform}"`])).length;

const removalsIn = ({ world }: Rig) => world.effects.filter((effect) => effect.startsWith('remove'));

test('a removed service goes from one environment after the other, from production once people decided, and is forgotten', async ({
  rig,
}) => {
  await carry(rig, 1);
  expect(await listed(rig)).toBe(3);
  rig.world.removals.add(World.commit(2));
  const removal = await rig.deliver(at(2));
  await rig.sees(at(2), decisions);
  const before = ['dev', 'staging'].map((environment) => `remove ${environment} claims/${World.commit(2)}`);
  expect(removalsIn(rig)).toEqual(before);
  await approve(rig, 2);
  const { state, steps, environments } = await removal.result();
  expect(state).toBe('succeeded');
  expect(steps.map(({ name }) => name)).toEqual(['verify', 'dev', 'staging', 'production']);
  expect(environments['production']?.decisions).toHaveLength(2);
  expect(removalsIn(rig)).toEqual([...before, `remove production claims/${World.commit(2)}`]);
  expect(rig.world.memories.size).toBe(0);
  await expect.poll(() => listed(rig)).toBe(0);
});

test('a service that comes back after it was removed begins anew', async ({ rig }) => {
  await carry(rig, 1);
  rig.world.removals.add(World.commit(2));
  const removal = await rig.deliver(at(2));
  await approve(rig, 2);
  await removal.result();
  await carry(rig, 3);
  expect((await rig.view('production', 'claims')).current?.change).toEqual(at(3));
  await expect.poll(() => listed(rig)).toBe(3);
});

test('who wrote the commit that removes a service may not approve that, and one no is enough', async ({
  rig,
}) => {
  rig.world.authors = ['board-1'];
  rig.world.removals.add(World.commit(2));
  const removal = await rig.deliver(at(2));
  await rig.sees(at(2), decisions);
  const decide = (verdict: 'approve' | 'reject', by: string) =>
    rig.decide('production', { change: at(2), verdict, by });
  await expect(decide('approve', 'board-1')).rejects.toThrow();
  await decide('reject', 'board-2');
  expect(await removal.result()).toMatchObject({ state: 'rejected' });
  expect(removalsIn(rig)).not.toContain(`remove production claims/${World.commit(2)}`);
});

test('when something else runs by the time that people have decided, they are asked once more', async ({
  rig,
}) => {
  rig.world.removals.add(World.commit(2));
  const removal = await rig.deliver(at(2));
  await rig.sees(at(2), decisions);
  rig.world.manifestsDigest = 'sha256:moved';
  await approve(rig, 2);
  await rig.sees(at(2), decisions);
  await approve(rig, 2);
  const { environments } = await removal.result();
  expect(environments['production']?.voided).toHaveLength(2);
});

test('a removal that waits for decisions can be cancelled, and nothing is deleted there', async ({ rig }) => {
  rig.world.removals.add(World.commit(2));
  const removal = await rig.deliver(at(2));
  await rig.sees(at(2), decisions);
  await removal.cancel();
  await expect(removal.result()).rejects.toThrow();
  expect(removalsIn(rig)).not.toContain(`remove production claims/${World.commit(2)}`);
});

test('a removal that fails says why, and leaves the environment as it was', async ({ rig }) => {
  await carry(rig, 1);
  rig.world.removals.add(World.commit(2));
  const { begun, fail } = rig.world.hold('dev removeApplication');
  const removal = await rig.deliver(at(2));
  await begun;
  fail(refused('claims is in the repository again.'));
  await expect(removal.result()).rejects.toThrow();
  expect(await rig.status(at(2))).toMatchObject({
    state: 'failed',
    reason: 'claims is in the repository again.',
  });
  expect((await rig.view('dev', 'claims')).current?.change).toEqual(at(1));
});
