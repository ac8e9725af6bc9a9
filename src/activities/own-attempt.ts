import { activityInfo } from '@temporalio/activity';

/** Names the calling attempt in the keys of what it stores, so that no other one writes over it. */
export function ownAttempt(): string {
  const { attempt, workflowExecution } = activityInfo();
  return `${workflowExecution?.runId.slice(0, 8) ?? 'alone'}-${attempt}`;
}
