import type { WorkflowHandle } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeAll, expect, test, vi } from 'vitest';
import { applicationName } from '../src/config/environments.ts';
import { recreationId } from '../src/model/temporal/workflow-ids.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { configMap, makeBed, newOperationId, soon, type Bed, type Written } from './support/argocd.ts';

let bed: Bed;
let written: Written;
let startRecreation: () => Promise<WorkflowHandle>;

beforeAll(async () => {
  bed = await makeBed(['waits']);
  const client = await connectClient();
  // Nobody works on its queue: it only stands for a recreation that is open.
  startRecreation = () =>
    client.workflow.start('nothing', {
      taskQueue: bed.config.platform,
      workflowId: recreationId(bed.config.platform, 'live'),
    });
  await bed.service('waits', 'production', { 'c.json': configMap('waits', { version: '1' }) });
  await bed.application('waits', 'production');
  written = await bed.promote('waits', 'production');
  return async () => {
    await client.connection.close();
    await bed.remove();
  };
});

const production = () => ({ environment: 'production', service: 'waits', ...written });
const operationId = newOperationId();
const sync = () => bed.sync({ ...production(), operationId, asker: bed.asker });
const render = () => bed.render(production());

const goesOn = { timeout: 120_000, interval: 500 };
const timeout = 300_000;

/** Expected, so that no log and no alarm tells of it; and not a matter of seconds. */
const comesAgain = {
  type: 'BeingRecreated',
  category: 'BENIGN',
  nextRetryDelay: '30 seconds',
  nonRetryable: false,
};

test(
  'what deliveries do in a cluster stands still while it is rebuilt, and has its whole time afterwards',
  { timeout },
  async () => {
    // Its Application in dev does not exist.
    const waiting = bed.wait({ ...production(), environment: 'dev', deadline: soon(60_000) });
    waiting.catch(() => undefined);
    const recreation = await startRecreation();
    await expect(waiting).rejects.toMatchObject(comesAgain);
    await expect(sync()).rejects.toMatchObject(comesAgain);
    await expect(render()).rejects.toMatchObject(comesAgain);

    await recreation.terminate();
    await vi.waitFor(render, goesOn);
    expect(await sync()).toEqual({ state: 'started' });
    // Its own deadline has passed meanwhile; of its three minutes nothing was used up.
    const scheduled = Date.now() - 3_600_000;
    const deadline = new Date(scheduled + 180_000).toISOString();
    const late = { ...production(), operationId, deadline };
    expect(await bed.environment(scheduled).run(bed.activities.awaitHealthy, late)).toMatchObject({
      state: 'healthy',
    });
  },
);

test(
  'a sync that was lost with the cluster is started again, though somebody synced something older since',
  { timeout },
  async () => {
    const recreation = await startRecreation();
    await recreation.terminate();
    const [older, lost] = [newOperationId(), newOperationId()];
    const how = { prune: false, retries: 0, reason: 'brought back' };
    const name = applicationName(bed.config, 'waits', 'production');
    await bed.argocd.startOperation(name, { id: older, revisions: [written.revision], ...how });
    await vi.waitFor(async () => {
      const { operation } = (await bed.argocd.application(name)) ?? {};
      expect(operation).toMatchObject({ id: older, phase: 'Succeeded' });
    }, goesOn);
    const newer = await bed.promote('waits', 'production');

    // Argo CD had taken it when the cluster was lost.
    const scheduledTimestampMs = Date.now() - 3_600_000;
    const progress = { waitsFor: 'the sync', takenAt: scheduledTimestampMs };
    const environment = new MockActivityEnvironment(
      { workflowExecution: bed.asker, scheduledTimestampMs, heartbeatDetails: progress },
      { logger: new DefaultLogger('ERROR') },
    );
    const wait = { ...production(), ...newer, operationId: lost, deadline: soon(180_000) };
    const healthy = { state: 'healthy', revision: newer.revision };
    // What is known of recreations is as old as the worker may have it.
    await vi.waitFor(
      async () => expect(await environment.run(bed.activities.awaitHealthy, wait)).toMatchObject(healthy),
      goesOn,
    );
  },
);
