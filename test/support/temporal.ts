import { randomUUID } from 'node:crypto';
import { accessSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, vi } from 'vitest';
import { attributes } from '../../src/model/temporal/search-attributes.ts';

/** Time that is skipped, activities that hear at once that they are cancelled, services that take turns. */
const dynamicConfig = [
  'frontend.WorkflowTimeSkippingEnabled=true',
  'frontend.WorkerCommandsEnabled=true',
  'system.enableCancelActivityWorkerCommand=true',
  'matching.enableFairness=true',
  // Five is the default; each takes ten seconds and more.
  'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2',
];

/** A Temporal server of its own, that knows our search attributes. @param more dynamic configuration, as `key=value` */
export const startTemporal = (...more: string[]) =>
  TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: onPath('temporal') },
      searchAttributes: Object.values(attributes),
      extraArgs: [...dynamicConfig, ...more].flatMap((value) => ['--dynamic-config-value', value]),
    },
  });

function onPath(name: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name));
      return join(folder, name);
    } catch {
      // The next folder may have it.
    }
  }
  throw new Error(`${name} is not on the PATH. Run: make up && source .stack/env`);
}

/** FastForwardPollingResult of temporal/api/enums/v1/time_skipping.proto. */
const pollTimedOut = 1;
const completed = 2;

/**
 * Lets the clock of one workflow jump to its next timer or retry, whenever it does nothing but wait for that.
 *
 * @param ms returns when so much has gone by, or the workflow has ended before
 * @throws Error if it has stopped short of that, as it does after 200 jumps
 * @see TimeSkippingConfig of temporal/api/common/v1/message.proto
 */
export async function passTime(client: Client, workflowId: string, ms: number): Promise<void> {
  const { workflowService } = client;
  const id = randomUUID();
  const place = { namespace: client.options.namespace, workflowExecution: { workflowId } };
  const fastForwardConfig = { id, duration: msToTs(ms) };
  await workflowService.updateWorkflowExecutionOptions({
    ...place,
    workflowExecutionOptions: { timeSkippingConfig: { enabled: true, fastForwardConfig } },
    updateMask: { paths: ['time_skipping_config'] },
  });
  let reading: { fastForwardPollingResult?: number | null; failedReason?: string | null };
  do {
    reading = await workflowService.pollWorkflowExecutionTimeSkipping({ ...place, fastForwardId: id });
  } while (reading.fastForwardPollingResult === pollTimedOut);
  if (reading.fastForwardPollingResult === completed) return;
  const { status } = await client.workflow.getHandle(workflowId).describe();
  if (status.name !== 'RUNNING') return;
  const reason = reading.failedReason ?? 'no reason given';
  throw new Error(
    `The time of ${workflowId} stands still (${reason}). It jumps 200 times: let it try less often.`,
  );
}

/** Somebody sets a workflow back to before it asked for an activity. */
export async function resetToBefore(client: Client, workflowId: string, activity: string): Promise<void> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const asked = events?.findIndex(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === activity,
  );
  const task = events?.slice(0, asked).findLast((event) => event.workflowTaskStartedEventAttributes);
  if (!task?.eventId) throw new Error(`${workflowId} has not asked for ${activity}.`);
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    reason: 'Somebody reset it.',
    requestId: randomUUID(),
    workflowTaskFinishEventId: task.eventId,
  });
}

/** Until it is known that the activity under way is to stop; its worker may not have heard of it yet. */
export async function untilActivityIsCancelled(handle: Pick<WorkflowHandle, 'describe'>): Promise<void> {
  const { PENDING_ACTIVITY_STATE_CANCEL_REQUESTED } = proto.temporal.api.enums.v1.PendingActivityState;
  await vi.waitFor(
    async () => {
      const { pendingActivities } = (await handle.describe()).raw;
      expect(pendingActivities?.map(({ state }) => state)).toContain(PENDING_ACTIVITY_STATE_CANCEL_REQUESTED);
    },
    { timeout: 20_000, interval: 50 },
  );
}
