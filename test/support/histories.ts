import type { Client, WorkflowHandle } from '@temporalio/client';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { pointOf } from './meddling.ts';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];

/** One run of a workflow. */
export interface Run {
  workflowId: string;
  type: string;
  history: History;
}

/** Every run of every workflow of a platform, as far as it got; newest first. */
export async function runsOf(client: Client, platform: string): Promise<Run[]> {
  const runs: Run[] = [];
  const query = `${attributes.platform.name} = "${platform}"`;
  for await (const { workflowId, runId, type } of client.workflow.list({ query })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.push({ workflowId, type, history });
  }
  return runs;
}

/** An activity that ended. */
interface Activity {
  point: string;
  /** That it took. */
  attempts: number;
  /** The last of them. */
  ms: number;
  /** After so much silence it counts as dead. */
  heartbeatTimeoutMs: number;
}

export function activitiesOf({ workflowId, history }: Run): Activity[] {
  const events = history.events ?? [];
  const event = (id: unknown) => events[Number(id) - 1];
  return events.flatMap(({ activityTaskCompletedEventAttributes: completed, eventTime }) => {
    if (!completed) return [];
    const scheduled = event(completed.scheduledEventId)?.activityTaskScheduledEventAttributes;
    const started = event(completed.startedEventId);
    return {
      point: pointOf(workflowId, scheduled?.activityType?.name ?? ''),
      attempts: started?.activityTaskStartedEventAttributes?.attempt ?? 0,
      ms: millisecondsOf(eventTime) - millisecondsOf(started?.eventTime),
      heartbeatTimeoutMs: millisecondsOf(scheduled?.heartbeatTimeout),
    };
  });
}

const millisecondsOf = (time: Event['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
