import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { deliverId, pollId } from '../../src/model/temporal/workflow-ids.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();
test.override({ environments: ['dev'] });

const change = { service: 'claims', commit: World.commit(1) };

/** The branch's tip moved since the last look. */
function push(rig: Rig): void {
  rig.world.look = {
    before: { tip: World.commit(0), pullRequests: {} },
    now: { tip: World.commit(1), pullRequests: {} },
    deliverOnPush: true,
  };
}

const poll = (rig: Rig) => rig.start('pollRepository', pollId(rig.platform), { platform: rig.platform });

test('where nobody can say what was pushed, every service is delivered', async ({ rig }) => {
  push(rig);
  rig.world.resolving = async ({ since }) => {
    if (since !== undefined) throw refused('It is in the repository no more.');
  };
  rig.world.changes = [
    { change, subject: 'a change' },
    { change: { ...change, service: 'web' }, subject: 'a change' },
  ];
  await (await poll(rig)).result();
  for (const service of ['claims', 'web']) await rig.sees({ ...change, service }, { state: 'succeeded' });
});

test('what cannot be found out is not taken for seen: the next look comes back to it', async ({ rig }) => {
  push(rig);
  rig.world.resolving = () => Promise.reject(refused('The token has expired.'));
  await expect((await poll(rig)).result()).rejects.toThrow();
  expect(rig.world.done).not.toContain('deliver rememberRepository');
  expect(rig.world.done).toContain('deliver lookAtRepository');
});

test('what was delivered before is delivered again once what came after it was taken off the branch', async ({
  rig,
}) => {
  await (await rig.deliver(change)).result();
  push(rig);
  for (const again of [false, true]) {
    rig.world.changes = [{ change, subject: 'a change', again }];
    await (await poll(rig)).result();
    const query = `WorkflowId = "${deliverId(rig.platform, change)}"`;
    await expect
      .poll(() => rig.temporal.client.workflow.count(query), { timeout: 10_000 })
      .toMatchObject({ count: again ? 2 : 1 });
  }
});

test('a push to the repository of a source delivers its services', async ({ rig }) => {
  const look = (tip: string) => ({
    ...{ tip: World.commit(0), pullRequests: {} },
    sources: { 'https://forge.example/team/claims.git#main': tip },
  });
  const asked: (string | undefined)[] = [];
  rig.world.resolving = async ({ since }) => void asked.push(since);
  rig.world.changes = [{ change, subject: 'a change' }];
  rig.world.look = { before: look(World.commit(2)), now: look(World.commit(1)), deliverOnPush: true };
  await (await poll(rig)).result();
  await rig.sees(change, { state: 'succeeded' });
  expect(asked).toEqual([World.commit(2)]);
  expect(rig.world.done).toContain('deliver rememberRepository');
});

test('new manifests of what is under way are delivered once that has ended', async ({ rig }) => {
  const { promise: healthy, resolve: becomesHealthy } = Promise.withResolvers<void>();
  const { health } = rig.world;
  rig.world.health = (place) => healthy.then(() => health(place));
  const earlier = await rig.deliver(change);
  await rig.sees(change, { environments: { dev: { state: 'running' } } });
  push(rig);
  rig.world.changes = [{ change, subject: 'a change', again: true, manifests: true }];
  await (await poll(rig)).result();
  expect(rig.world.remembered).toMatchObject([{ tip: World.commit(1), owed: [change] }]);

  // What was found of that push is not looked for again: how its other deliveries ended stands.
  rig.world.changes = [];
  const [before] = rig.world.remembered;
  if (before) rig.world.look = { before, now: rig.world.look.now, deliverOnPush: true };
  await (await poll(rig)).result();
  expect(rig.world.remembered).toHaveLength(1);

  // Manifests that change once more meanwhile are owed by the same delivery.
  const newer = { ...rig.world.look.now, tip: World.commit(2) };
  if (before) rig.world.look = { before, now: newer, deliverOnPush: true };
  rig.world.changes = [{ change, subject: 'a change', again: true, manifests: true }];
  await (await poll(rig)).result();
  expect(rig.world.remembered.at(-1)).toMatchObject({ tip: World.commit(2), owed: [change] });
  const last = rig.world.remembered.at(-1);
  if (last) rig.world.look = { before: last, now: newer, deliverOnPush: true };
  rig.world.changes = [];

  becomesHealthy();
  await earlier.result();
  await (await poll(rig)).result();
  expect(rig.world.remembered.at(-1)).toEqual(rig.world.look.now);
  const query = `WorkflowId = "${deliverId(rig.platform, change)}"`;
  await expect
    .poll(() => rig.temporal.client.workflow.count(query), { timeout: 10_000 })
    .toMatchObject({ count: 2 });
  await rig.sees(change, { state: 'succeeded' });
});
