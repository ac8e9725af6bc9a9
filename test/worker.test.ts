import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, vi } from 'vitest';
import { pollId } from '../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../src/model/temporal/task-queues.ts';
import { commandOf, startCommand } from './support/cli.ts';
import { test, useTemporal } from './support/workflow-rig.ts';

useTemporal();

test('a worker says that it is ready when it takes work, and ends when it is told to', async ({ rig }) => {
  const worker = startCommand(rig, ['worker', '--queues', 'delivery,wait']);
  await worker.says('ready: ');
  const { client } = rig.temporal;
  // Its first question may still be on its way to Temporal.
  await vi.waitFor(async () => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue(rig.platform, 'delivery') },
    });
    expect(pollers.map(({ identity }) => identity)).toContainEqual(
      expect.stringMatching(`^${worker.pid}@`) as unknown,
    );
  }, 10_000);
  expect(await worker.end()).toBe(0);
});

test('a worker does not start without a secret that its queues need', async ({ rig }) => {
  const without = commandOf(rig, { FORGE_TOKEN: '' });
  expect(await without('worker', '--queues', 'build,delivery')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(
      /cannot serve build, delivery: forge\.token \(env:FORGE_TOKEN\)\. Set them where it runs/,
    ),
  });
});

test('a worker that is started before Temporal waits for it', async ({ rig }) => {
  // A port that nobody listens on, and that nobody else is given meanwhile.
  const reserved = createServer().listen(0, '127.0.0.1');
  await once(reserved, 'listening');
  const address = reserved.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  reserved.close();
  const worker = startCommand(rig, ['worker'], { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  await worker.says('Temporal is not there yet; trying again');
  expect(await worker.end()).toBe('SIGTERM');
});

test('setup prepares Temporal, and doing it again changes nothing', async ({ rig }) => {
  const schedule = rig.temporal.client.schedule.getHandle(pollId(rig.platform));
  try {
    for (const state of ['created', 'updated']) {
      const { stdout, exitCode } = await commandOf(rig)('setup', '--json');
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        prepared: expect.arrayContaining([
          { what: 'search attribute GitopsService', state: 'there' },
          { what: `schedule ${pollId(rig.platform)}`, state },
        ]),
      });
    }
    const { action, spec } = await schedule.describe();
    expect(action).toMatchObject({
      workflowType: 'pollRepository',
      taskQueue: taskQueue(rig.platform, 'delivery'),
    });
    expect(spec.intervals).toMatchObject([{ every: 300_000 }]);
  } finally {
    await schedule.delete();
  }
});
