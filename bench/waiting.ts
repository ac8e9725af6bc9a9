import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { createClient } from '../src/client.ts';
import { deliverId, environmentId, queues, taskQueue } from '../src/model/ids.ts';
import { pullRequestChanged } from '../src/model/messages.ts';
import { attributes } from '../src/model/visibility.ts';
import { workflowBundle } from '../src/worker/bundle.ts';
import type { Run } from '../test/support/histories.ts';
import { World } from '../test/support/world.ts';
import { billOf, type Bill } from './billing.ts';
import { carry } from './carry.ts';

const environments = ['dev', 'staging', 'production'];
const change = { service: 'web', commit: World.commit(1) };
const name = `${change.service}/${change.commit}`;

/** `INDEXED_VALUE_TYPE_KEYWORD` of temporal/api/enums/v1/common.proto. */
const keyword = 2;

/** The bill of a delivery whose board takes its time, on a server that skips time; systems are stood in for. */
export async function billAfterWaiting(ms: number): Promise<Bill> {
  const { stdout: path } = await execa('which', ['temporal-test-server']);
  const temporal = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await temporal.connection.operatorService.addSearchAttributes({
    namespace: temporal.namespace ?? 'default',
    searchAttributes: Object.fromEntries(Object.values(attributes).map(({ name }) => [name, keyword])),
  });
  const platform = `bench-${randomUUID().slice(0, 8)}`;
  const world = new World(platform, environments);
  const production = world.settings['production'];
  if (production?.approval.by === 'decisions') production.approval.expiresAfterMs = 2 * ms;
  const activities = world.activities(temporal.client);
  const code = await workflowBundle();
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
      think: () => temporal.sleep(ms),
    });
    await temporal.client.workflow.getHandle(deliverId(platform, change)).result();
    return billOf(await runsOf(temporal.client, platform));
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await temporal.teardown();
  }
}

/** The server that skips time cannot list what it has. */
async function runsOf(client: Client, platform: string): Promise<Run[]> {
  const runs: Run[] = [];
  const ids = environments.map((environment) => environmentId(platform, environment, change.service));
  for (const workflowId of [deliverId(platform, change), ...ids]) {
    const latest = await client.workflow.getHandle(workflowId).fetchHistory();
    let runId = latest.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
    while (runId) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      runs.push({ workflowId, type: '', history });
      runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
  }
  return runs;
}
