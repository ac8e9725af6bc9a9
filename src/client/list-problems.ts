import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { Change } from '../model/delivery/change.ts';
import type { Problem } from '../model/temporal/problem.ts';
import { queues } from '../model/temporal/task-queues.ts';
import { attributes, termOf } from '../model/temporal/search-attributes.ts';
import { failingTask, reportsProblems } from '../systems/temporal/failing-workflows.ts';
import { workersOf, type QueueState } from '../systems/temporal/workers.ts';
import { failingWorkflow, noWorker } from './problems.ts';
import { readStatus } from './status.ts';
import { listWorkflows } from './visibility.ts';

/** One fault stops many; these are enough to find it, and each costs a look at its history. */
const mostLookedAt = 20;

/** All that stands still in a platform until somebody does something about it. */
export async function listProblems(client: Client, platform: string): Promise<Problem[]> {
  const [failing, states] = await Promise.all([
    failingWorkflows(client, platform),
    workersOf(client, platform, queues),
  ]);
  const unserved = states.filter(isMissed);
  // To ask a delivery what it waits for takes a worker.
  const canAsk = unserved.every(({ queue }) => queue !== 'delivery');
  return [
    ...unserved.map((state) => noWorker(platform, state)),
    ...failing,
    ...(canAsk ? await unansweredDeliveries(client, platform) : []),
  ];
}

/** A platform without backups needs nobody who could open them. */
const isMissed = ({ queue, live, waiting }: QueueState): boolean =>
  live.length === 0 && (queue !== 'recovery' || waiting > 0);

/** Those that Temporal has marked; none where it marks none. */
export async function failingWorkflows(client: Client, platform: string): Promise<Problem[]> {
  if (!(await reportsProblems(client))) return [];
  const marked = await someWorkflows(client, [
    termOf('platform', platform),
    'ExecutionStatus = "Running"',
    'TemporalReportedProblems IS NOT NULL',
  ]);
  const found = await Promise.all(
    marked.map(async ({ workflowId }) => {
      const failing = await failingTask(client, await client.workflow.getHandle(workflowId).describe());
      return failing ? [failingWorkflow(workflowId, failing)] : [];
    }),
  );
  return found.flat();
}

/**
 * Environments live for ever, so one that has ended was ended by somebody: deliveries that were under way then may wait
 * for it in vain. Those are asked, which costs nothing where nobody did such a thing.
 */
export async function unansweredDeliveries(client: Client, platform: string): Promise<Problem[]> {
  const ended = await someWorkflows(client, [
    termOf('platform', platform),
    'WorkflowType = "environment"',
    'ExecutionStatus IN ("Terminated", "Failed", "TimedOut", "Canceled", "Completed")',
  ]);
  const waiting = await Promise.all(
    ended.map((environment) =>
      someWorkflows(client, [
        termOf('platform', platform),
        'WorkflowType = "deliverService"',
        'ExecutionStatus = "Running"',
        termOf('service', environment.typedSearchAttributes.get(attributes.service) ?? ''),
        `StartTime < "${(environment.closeTime ?? new Date()).toISOString()}"`,
      ]),
    ),
  );
  const changes = new Map(waiting.flat().map((info) => [info.workflowId, changeOf(info)]));
  const told = await Promise.all([...changes.values()].map((change) => ask(client, platform, change)));
  return told.flat().filter(({ kind }) => kind === 'no-answer');
}

const changeOf = ({ typedSearchAttributes }: WorkflowExecutionInfo): Change => ({
  service: typedSearchAttributes.get(attributes.service) ?? '',
  commit: typedSearchAttributes.get(attributes.commit) ?? '',
});

/** What one cannot say is not this list's end: why it cannot is told by the others. */
async function ask(client: Client, platform: string, change: Change): Promise<Problem[]> {
  const delivery = await readStatus(client, platform, change, undefined).catch(() => undefined);
  return delivery?.problems ?? [];
}

const someWorkflows = (client: Client, terms: string[]): Promise<WorkflowExecutionInfo[]> =>
  listWorkflows(client, terms, mostLookedAt);
