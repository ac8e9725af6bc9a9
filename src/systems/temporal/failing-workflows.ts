import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';

/** A workflow whose task fails, is tried again, and fails again: until a worker has other code. */
export interface FailingTask {
  /** Of its first failure. */
  since?: Date;
  /** What the code threw; undefined where it never came to an end. */
  failure?: string;
}

// `EVENT_TYPE_WORKFLOW_TASK_*` of temporal/api/enums/v1/event_type.proto.
const completed = 7;
const timedOut = 8;
const failed = 9;

/** Since a task failed, only signals and the ends of activities and timers are written; of them a few at most. */
const mostEvents = 200;

/**
 * Why and since when a workflow's task fails; undefined where it does not. Tells it after the first failure, long before
 * Temporal lists the workflow as one that has a problem; one that only timed out may have lost its worker, once.
 */
export async function failingTask(
  { workflowService, options }: Client,
  { workflowId, runId, raw }: WorkflowExecutionDescription,
): Promise<FailingTask | undefined> {
  const attempt = raw.pendingWorkflowTask?.attempt ?? 1;
  if (attempt < 2) return undefined;
  const { history } = await workflowService.getWorkflowExecutionHistoryReverse({
    namespace: options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: mostEvents,
  });
  const newestFirst = history?.events ?? [];
  const lastGood = newestFirst.findIndex(({ eventType }) => Number(eventType) === completed);
  const sinceThen = lastGood < 0 ? newestFirst : newestFirst.slice(0, lastGood);
  const failures = sinceThen.filter(({ eventType }) => [failed, timedOut].includes(Number(eventType)));
  const told = failures.find(({ eventType }) => Number(eventType) === failed);
  if (!told && attempt < 3) return undefined;
  const since = optionalTsToDate(failures.at(-1)?.eventTime);
  const failure = told?.workflowTaskFailedEventAttributes?.failure?.message ?? undefined;
  return { ...(since && { since }), ...(failure !== undefined && { failure }) };
}

/** Whether Temporal marks workflows whose tasks keep failing, with the search attribute `TemporalReportedProblems`. */
export async function reportsProblems({ workflowService, options }: Client): Promise<boolean> {
  const { namespaceInfo } = await workflowService.describeNamespace({ namespace: options.namespace });
  return namespaceInfo?.capabilities?.reportedProblemsSearchAttribute ?? false;
}
