import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import pLimit from 'p-limit';

/** What a server gives at most at a time, unless it was told otherwise. */
const pageSize = 1000;

/**
 * Workflows as visibility knows them, without asking any.
 *
 * @param terms of the list filter, all of which must hold
 */
export async function listWorkflows(
  client: Client,
  terms: string[],
  limit = Infinity,
): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const info of client.workflow.list({
    query: terms.join(' AND '),
    pageSize: Math.min(limit, pageSize),
  })) {
    found.push(info);
    if (found.length === limit) break;
  }
  return found;
}

/** What visibility has of a workflow, and the server. */
export type Known = Omit<WorkflowExecutionInfo, 'raw'>;

/** In words: `timed out`. */
export const statusText = (status: WorkflowExecutionStatusName): string =>
  status.toLowerCase().replace('_', ' ');

/** A workflow as the server has it, which visibility hears of moments later. */
export interface Described {
  info: Known;
  /** It has nothing to do: it waits for somebody to tell it something. */
  isIdle: boolean;
}

/** Together they take no longer: so many keep a server busy. */
const mostAtATime = 50;

/** The last runs of some workflows as they are by now, without asking any; those are left out that are forgotten. */
export async function asOfNow(client: Client, workflowIds: Iterable<string>): Promise<Described[]> {
  const found = await pLimit(mostAtATime).map(
    new Set(workflowIds),
    async (workflowId): Promise<Described[]> => {
      try {
        const info = await client.workflow.getHandle(workflowId).describe();
        const { pendingWorkflowTask, pendingActivities } = info.raw;
        return [{ info, isIdle: !pendingWorkflowTask && !pendingActivities?.length }];
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return [];
        throw error;
      }
    },
  );
  return found.flat();
}
