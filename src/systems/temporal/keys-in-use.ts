import pLimit from 'p-limit';
import type { Client } from '@temporalio/client';
import { termOf } from '../../model/temporal/search-attributes.ts';
import { keyIdOf } from './codec.ts';

/** Each asks for one event. */
const atOnce = 20;

/**
 * How many open workflows of a platform began under each key, by its ID; those that are not encrypted are not counted.
 * Newer keys may stand later in their histories.
 */
export async function keysInUse(client: Client, platform: string): Promise<Map<string, number>> {
  const { namespace } = client.options;
  const { workflowService } = client;
  const query = `${termOf('platform', platform)} AND ExecutionStatus = "Running"`;
  const counts = new Map<string, number>();
  let nextPageToken: Uint8Array | undefined;
  do {
    // Not by the client, which decrypts memos, and may lack a key.
    const page = await workflowService.listWorkflowExecutions({
      namespace,
      query,
      pageSize: 1000,
      ...(nextPageToken && { nextPageToken }),
    });
    await pLimit(atOnce).map(page.executions, async ({ execution }) => {
      const { history } = await workflowService.getWorkflowExecutionHistory({
        namespace,
        maximumPageSize: 1,
        ...(execution && { execution }),
      });
      const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      const id = payload && keyIdOf(payload);
      if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
    });
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return counts;
}
