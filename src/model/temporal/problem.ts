/** What stands still until somebody does something about it. */
export interface Problem {
  /**
   * `failing-workflow`: its code cannot go on, `no-worker`: nobody takes the work of a queue, `no-answer`: a delivery
   * waits for an environment that does not know it.
   */
  kind: 'failing-workflow' | 'no-worker' | 'no-answer';
  /** What stands still. */
  workflowId?: string;
  /** The task queue that nobody serves. */
  queue?: string;
  /** ISO 8601; missing where nobody knows. */
  since?: string;
  /** What it is, and what to do. */
  message: string;
  /** Where it says more. */
  runbook: string;
}

const runbook = 'docs/runbooks/delivery-stuck.md';

export const problem = (found: Omit<Problem, 'runbook'>): Problem => ({ ...found, runbook });
