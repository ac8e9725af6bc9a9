import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { problem, type Problem } from '../model/temporal/problem.ts';
import { queues, taskQueue } from '../model/temporal/task-queues.ts';
import { failingTask, type FailingTask } from '../systems/temporal/failing-workflows.ts';
import { workersOf, type QueueState } from '../systems/temporal/workers.ts';

/** What keeps one running workflow from going on: its code, or a queue that nobody serves. */
export async function problemsOf(
  client: Client,
  platform: string,
  description: WorkflowExecutionDescription,
): Promise<Problem[]> {
  const [failing, unserved] = await Promise.all([
    failingTask(client, description),
    unservedQueues(client, platform, description),
  ]);
  return [
    ...(failing ? [failingWorkflow(description.workflowId, failing)] : []),
    ...unserved.map((state) => noWorker(platform, state)),
  ];
}

/** A worker takes what waits within moments; on a busy machine within seconds. */
const takenWithinMs = 10_000;

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of temporal/api/enums/v1/workflow.proto. */
const scheduled = 1;

async function unservedQueues(
  client: Client,
  platform: string,
  { raw }: WorkflowExecutionDescription,
): Promise<QueueState[]> {
  const untaken = (raw.pendingActivities ?? []).filter(
    ({ state, scheduledTime }) =>
      Number(state) === scheduled && (optionalTsToMs(scheduledTime) ?? Infinity) < Date.now() - takenWithinMs,
  );
  const names = new Set(untaken.map(({ activityOptions }) => activityOptions?.taskQueue?.name));
  const awaited = queues.filter((queue) => names.has(taskQueue(platform, queue)));
  if (awaited.length === 0) return [];
  return (await workersOf(client, platform, awaited)).filter(({ live }) => live.length === 0);
}

/** An error's first words say what it is; the rest is in the history. */
const mostOfFailure = 200;

export function failingWorkflow(workflowId: string, { since, failure }: FailingTask): Problem {
  const [line = ''] = (failure ?? '').split('\n');
  const what =
    failure === undefined
      ? `Workers begin the next step of ${workflowId} and never finish it.`
      : `The code of ${workflowId} cannot go on.`;
  const why = failure === undefined ? '' : ` It says: ${line.slice(0, mostOfFailure)}`;
  return problem({
    kind: 'failing-workflow',
    workflowId,
    ...(since && { since: since.toISOString() }),
    message: `${what} Start workers with code that can: then it goes on where it was.${why}`,
  });
}

export function noWorker(platform: string, { queue, lastSeenMs, waitingSinceMs }: QueueState): Problem {
  const sinceMs = lastSeenMs ?? waitingSinceMs;
  return problem({
    kind: 'no-worker',
    queue: taskQueue(platform, queue),
    ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }),
    message: `Nobody serves ${taskQueue(platform, queue)}. Start a worker: gitops worker --queues ${queue}`,
  });
}

/** @param why what is wrong with the environment: `whose workflow was terminated` */
export function noAnswer(
  workflowId: string,
  change: string,
  environment: string,
  why: string,
  since?: Date,
): Problem {
  return problem({
    kind: 'no-answer',
    workflowId,
    ...(since && { since: since.toISOString() }),
    message: `${change} waits for ${environment}, ${why}. Have it ask again: gitops nudge ${change}`,
  });
}
