import type { Client, WorkflowExecutionInfo } from '@temporalio/client';

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
