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
