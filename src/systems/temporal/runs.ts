import { activityInfo } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';

/** Whether this very run, or the workflow's newest, is still open. One that its namespace has forgotten is not. */
export async function isOpen(client: Client, run: { workflowId: string; runId?: string }): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(run.workflowId, run.runId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Whether a workflow is open that began with this run: a reset goes on with it under another. */
async function isOpenSince(client: Client, first: { workflowId: string; runId: string }): Promise<boolean> {
  try {
    const { status, runId, raw } = await client.workflow.getHandle(first.workflowId).describe();
    const firstRunId = raw.workflowExecutionInfo?.firstRunId;
    return status.name === 'RUNNING' && [runId, firstRunId].includes(first.runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/**
 * Tells whether the effect that the calling activity is about to have is still wanted: the delivery that asked for it and
 * the run that the activity belongs to are open. An environment continues as new after every promotion, so an attempt
 * that its promotion has outlived reads false here, and so does one whose delivery was terminated.
 *
 * Whose run it is is found out now: what is returned may be asked on behalf of this activity by another one, which
 * writes for both.
 */
export function wantedBy(
  client: Client,
  asker: { workflowId: string; runId: string },
): () => Promise<boolean> {
  const own = ownRun();
  return async () => {
    const open = await Promise.all([isOpenSince(client, asker), isOpen(client, own)]);
    return open.every(Boolean);
  };
}

/** Whether the workflow run that the calling activity belongs to is open. */
export const ownRunIsOpen = (client: Client): Promise<boolean> => isOpen(client, ownRun());

function ownRun(): { workflowId: string; runId: string } {
  const run = activityInfo().workflowExecution;
  if (!run)
    throw new Error('This activity was not started by a workflow, so nobody can tell if it is wanted.');
  return run;
}
