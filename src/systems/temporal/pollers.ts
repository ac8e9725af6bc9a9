import type { Client } from '@temporalio/client';

/** `TASK_QUEUE_TYPE_*` of temporal/api/enums/v1/task_queue.proto. */
const types = { workflow: 1, activity: 2 } as const;

/** A poll takes a minute; the server remembers pollers for longer, also those that were killed. */
const livePollMs = 90_000;

/** Who works on a queue: identities of the processes, by default `<pid>@<host>`. */
export async function pollersOf(
  client: Client,
  taskQueue: string,
  type: keyof typeof types,
): Promise<string[]> {
  const { namespace } = client.options;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- its package is the SDK's own affair
    taskQueueType: types[type],
  });
  const live = pollers.filter(
    ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > Date.now() - livePollMs,
  );
  return [...new Set(live.map(({ identity }) => identity ?? 'somebody'))];
}
