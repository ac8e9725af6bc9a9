import type { Client } from '@temporalio/client';

/** A Temporal in which the run that asks is open, with the ID `r`: for activities that change nothing once it is over. */
export const openRun = {
  workflow: {
    getHandle: () => ({
      describe: async () => ({ status: { name: 'RUNNING' }, runId: 'r', raw: { workflowExecutionInfo: {} } }),
    }),
  },
} as unknown as Client;
