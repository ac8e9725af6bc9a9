import { WorkflowFailedError } from '@temporalio/client';
import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { createClient } from '../../src/client.ts';
import { environmentId, pollId } from '../../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const at = (position: number) => ({ service: 'claims', commit: World.commit(position) });
const name = (position: number) => `claims/${World.commit(position)}`;

/** As an operator does: the workflow begins anew, and what it was sent since is sent again. */
async function reset({ temporal }: Rig, workflowId: string): Promise<void> {
  const { client, namespace = 'default' } = temporal;
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const first = events?.find(
    ({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes,
  );
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId },
    reason: 'a test',
    workflowTaskFinishEventId: first?.eventId ?? null,
    requestId: crypto.randomUUID(),
  });
}

test.describe('a delivery', () => {
  test('that was reset while people are asked goes on to production', async ({ rig }) => {
    const { workflowId } = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await reset(rig, workflowId);
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.decide('production', { change: at(1), verdict: 'approve', by: 'board-1' });
    await rig.decide('production', { change: at(1), verdict: 'approve', by: 'board-2' });
    await rig.sees(at(1), { state: 'succeeded' });
    expect(rig.world.effects.filter((effect) => effect.startsWith('open'))).toHaveLength(2);
  });

  test('that is cancelled while its end is recorded ends as it did', async ({ rig }) => {
    const { staging, production } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    if (production) production.approval = { by: 'none' };
    const { begun, goOn } = rig.world.hold('deliver recordDelivery');
    const delivery = await rig.deliver(at(1));
    await begun;
    await delivery.cancel();
    goOn();
    expect(await delivery.result()).toMatchObject({ state: 'succeeded' });
    expect(rig.world.deliveries.map(({ state }) => state)).toEqual(['succeeded']);
  });

  test('whose end cannot be recorded ends as it did', async ({ rig }) => {
    const { staging, production } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    if (production) production.approval = { by: 'none' };
    const { begun, fail } = rig.world.hold('deliver recordDelivery');
    const delivery = await rig.deliver(at(1));
    await begun;
    fail(refused('The bucket is not ours.'));
    expect(await delivery.result()).toMatchObject({ state: 'succeeded' });
  });

  test('that asks for what its environment cannot read is told so', async ({ rig }) => {
    const { dev } = rig.world.settings;
    if (dev) dev.healthyWithinMs = -1;
    const delivery = await rig.deliver(at(1));
    await expect(delivery.result()).rejects.toThrow(WorkflowFailedError);
    const { reason = '' } = await rig.status(at(1));
    expect(reason).toContain('dev cannot read what it was asked: settings.healthyWithinMs');
    expect(reason).toContain('deliver the change again');
  });

  test('that ended is not started again because somebody pushed', async ({ rig }) => {
    rig.world.tests = () => Promise.reject(refused('One test failed.'));
    const delivery = await rig.deliver(at(1));
    await expect(delivery.result()).rejects.toThrow(WorkflowFailedError);

    rig.world.look = {
      before: { tip: World.commit(0), pullRequests: {} },
      now: { tip: World.commit(1), pullRequests: {} },
      deliverOnPush: true,
    };
    rig.world.changes = [{ change: at(1), subject: 'a change' }];
    await rig.temporal.client.workflow.execute('pollRepository', {
      workflowId: pollId(rig.platform),
      taskQueue: taskQueue(rig.platform, 'delivery'),
      args: [{ platform: rig.platform }],
    });
    const query = `WorkflowId = "${delivery.workflowId}"`;
    await expect.poll(() => rig.temporal.client.workflow.count(query)).toMatchObject({ count: 1 });
  });
});

test.describe('an environment', () => {
  test('that somebody asked to cancel still answers whoever asked', async ({ rig }) => {
    const { begun, goOn } = rig.world.hold('dev writeRelease');
    await rig.deliver(at(1));
    await begun;
    await rig.environment('dev', 'claims').cancel();
    const second = await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('dev', 'claims')).waiting.length).toBe(1);
    await rig.deliver(at(3));
    expect(await second.result()).toMatchObject({ state: 'superseded' });
    goOn();
    await rig.sees(at(3), { state: 'waiting' });
  });

  test('does not wait for people on behalf of a delivery that was terminated', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await delivery.terminate();
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
    expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
  });

  test('keeps a rejection a rejection when the forge does not close the pull request', async ({ rig }) => {
    const { begun, fail } = rig.world.hold('staging closePullRequest');
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    await rig.review('staging', 'claims', 'reject');
    await begun;
    fail(refused('The token may not close it.'));
    expect(await delivery.result()).toMatchObject({
      state: 'rejected',
      environments: {
        staging: {
          reason:
            'reviewer asked for changes in #1. Close pull request #1 by hand: The token may not close it.',
        },
      },
    });
  });

  test('answers, and goes on with the next change, while the object store is away', async ({ rig }) => {
    const { begun, goOn } = rig.world.hold('dev rememberEnvironment');
    await rig.deliver(at(1));
    await begun;
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await rig.deliver(at(2));
    await expect.poll(() => rig.world.effects).toContain(`write dev ${name(2)}`);
    expect(rig.world.memories.get('dev/claims')).toBeUndefined();
    goOn();
    await expect.poll(() => rig.world.memories.get('dev/claims')?.current?.change).toEqual(at(2));
  });

  test('that cannot read the state it carries stands still for an operator, and loses nothing', async ({
    rig,
  }) => {
    const { client } = rig.temporal;
    const carried = { waiting: 'of a release to come', answered: [] };
    const handle = await client.workflow.start('environment', {
      workflowId: environmentId(rig.platform, 'dev', 'claims'),
      taskQueue: taskQueue(rig.platform, 'delivery'),
      args: [{ platform: rig.platform, environment: 'dev', service: 'claims', carried }],
    });
    const lastFailure = async () => {
      const { events } = await handle.fetchHistory();
      return events?.findLast((event) => event.workflowTaskFailedEventAttributes)
        ?.workflowTaskFailedEventAttributes?.failure?.message;
    };
    await expect.poll(lastFailure).toContain('The state that it carries cannot be read: carried.waiting');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  });
});

test('an approver who tries again, since the answer was lost, finds the first decision', async ({ rig }) => {
  const { staging } = rig.world.settings;
  if (staging) staging.approval = { by: 'none' };
  await rig.deliver(at(1));
  await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
  const { decide } = createClient(rig.temporal.client, rig.platform);
  const approval = { change: name(1), environment: 'production', verdict: 'approve', by: 'board-1' } as const;
  const first = await decide(approval);
  expect(await decide(approval)).toEqual(first);
  expect((await rig.view('production', 'claims')).active?.view.decisions).toEqual([first]);
  await expect(decide({ ...approval, verdict: 'reject' })).rejects.toThrow('board-1 has decided already');
});
