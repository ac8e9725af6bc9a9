import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { createClient } from '../src/client.ts';
import { deliverId, environmentId } from '../src/model/temporal/workflow-ids.ts';
import { queues, taskQueue } from '../src/model/temporal/task-queues.ts';
import { pullRequestChanged } from '../src/model/temporal/messages.ts';
import { workflowBundle } from '../src/worker/bundle.ts';
import { runsOf } from '../test/support/histories.ts';
import { passTime, startTemporal } from '../test/support/temporal.ts';
import { World } from '../test/support/world.ts';
import { billOf, type Bill } from './billing.ts';
import { carry } from './carry.ts';

const environments = ['dev', 'staging', 'production'];
const change = { service: 'web', commit: World.commit(1) };
const name = `${change.service}/${change.commit}`;

/** The bill of a delivery whose board takes its time, which passes at once; systems are stood in for. */
export async function billAfterWaiting(ms: number): Promise<Bill> {
  const temporal = await startTemporal();
  const platform = `bench-${randomUUID().slice(0, 8)}`;
  const world = new World(platform, environments);
  const production = world.settings['production'];
  if (production?.approval.by === 'decisions') production.approval.expiresAfterMs = 2 * ms;
  const activities = world.activities(temporal.client);
  const code = await workflowBundle(false);
  const workers = await Promise.all(
    queues.map((queue) =>
      Worker.create({
        connection: temporal.nativeConnection,
        taskQueue: taskQueue(platform, queue),
        activities,
        ...(queue === 'delivery' && { workflowBundle: code }),
      }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  try {
    const gitops = createClient(temporal.client, platform);
    await gitops.deliver(change);
    await carry(gitops, name, {
      async review({ number }) {
        Object.assign(world.pullRequests.get(number) ?? {}, { approvedBy: ['reviewer'] });
        const id = environmentId(platform, 'staging', change.service);
        await temporal.client.workflow.getHandle(id).signal(pullRequestChanged, { number });
      },
      async think() {
        const waiting = [deliverId(platform, change), environmentId(platform, 'production', change.service)];
        await Promise.all(waiting.map((id) => passTime(temporal.client, id, ms)));
      },
    });
    await temporal.client.workflow.getHandle(deliverId(platform, change)).result();
    return billOf(await runsOf(temporal.client, platform));
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await temporal.teardown();
  }
}
