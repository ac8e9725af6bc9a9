import type { Client } from '@temporalio/client';
import type { Delivery } from '../model/delivery/delivery.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { attemptOf } from './list.ts';
import { asOfNow, listWorkflows } from './visibility.ts';

/** A status with the other times that its change was delivered, as far back as Temporal or the stored document knows. */
export async function withAttempts(client: Client, platform: string, delivery: Delivery): Promise<Delivery> {
  const workflowId = deliverId(platform, delivery);
  const [runs, [last]] = await Promise.all([
    listWorkflows(client, [`WorkflowId = "${workflowId}"`]),
    asOfNow(client, [workflowId]),
  ]);
  const others = runs
    .filter(({ runId }) => runId !== last?.info.runId)
    .toSorted((a, b) => b.startTime.getTime() - a.startTime.getTime());
  const known = others.map(attemptOf);
  const oldest = others.at(-1)?.startTime.toISOString() ?? delivery.steps[0]?.startedAt ?? '';
  const before = (delivery.attempts ?? []).filter(({ startedAt }) => startedAt < oldest);
  const attempts = [...known, ...before];
  return attempts.length === 0 ? delivery : { ...delivery, attempts };
}
