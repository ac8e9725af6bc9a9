import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { taskQueue, type Queue } from '../../model/temporal/task-queues.ts';

/** So often a worker says that it lives; one small request for all Workers of a process. */
export const heartbeatEveryMs = 5000;

/** A worker with a heartbeat this recent is alive. Others are looked at twice: four that are missing are no mere delay. */
const freshMs = 2 * heartbeatEveryMs;
const secondLookAfterMs = 2 * heartbeatEveryMs;

/** The clocks of workers and of this process are taken to differ by less. */
const clocksDifferMs = 60_000;

/** A poll takes a minute; the server remembers pollers for longer, also those that were killed. */
const pollMs = 90_000;

/** Who works on a queue, and what waits there. */
export interface QueueState {
  queue: Queue;
  /** Identities of the processes that live, by default `<pid>@<host>`. */
  live: string[];
  /** When the last of those that live no more said that it did; in milliseconds since the epoch. */
  lastSeenMs?: number;
  /** Tasks that nobody has taken yet; an estimate. */
  waiting: number;
  waitingSinceMs?: number;
}

interface Heartbeat {
  taskQueue: string;
  identity: string;
  /** Of one Worker in one process. */
  key: string;
  /** False when it said that it ends. */
  running: boolean;
  /** By the worker's clock. */
  atMs: number;
}

interface Look {
  atMs: number;
  heartbeats: Heartbeat[];
  queues: QueueReading[];
}

interface QueueReading {
  queue: Queue;
  taskQueue: string;
  pollers: { identity: string; atMs: number }[];
  waiting: number;
  waitingSinceMs?: number;
}

/**
 * Tells the living workers from the dead by their heartbeats, which Temporal takes since 1.30. Where there are none (an
 * older server, a worker in its first seconds) its polls tell, which outlive it by up to 90 seconds.
 *
 * Where it seems that nobody is left it looks twice, ten seconds apart: a clock that is wrong makes no worker dead.
 */
export async function workersOf(
  client: Client,
  platform: string,
  queues: readonly Queue[],
): Promise<QueueState[]> {
  const first = await look(client, platform, queues);
  const states = judge(first);
  const fellSilent = first.heartbeats.filter(
    ({ running, atMs }) => running && atMs > first.atMs - clocksDifferMs,
  );
  const isDoubtful = ({ queue, live }: QueueState): boolean =>
    live.length === 0 && fellSilent.some((beat) => beat.taskQueue === taskQueue(platform, queue));
  if (!states.some(isDoubtful)) return states;
  await sleep(secondLookAfterMs);
  return judge(await look(client, platform, queues), first.heartbeats);
}

function judge({ atMs, heartbeats, queues }: Look, earlier: Heartbeat[] = []): QueueState[] {
  const isFresh = (beat: Heartbeat): boolean =>
    Math.abs(atMs - beat.atMs) <= freshMs ||
    earlier.some(({ key, atMs: before }) => key === beat.key && before !== beat.atMs);

  return queues.map(({ queue, taskQueue, pollers, waiting, waitingSinceMs }) => {
    const own = heartbeats.filter((beat) => beat.taskQueue === taskQueue);
    const [alive, dead] = [
      own.filter((beat) => beat.running && isFresh(beat)),
      own.filter((beat) => !beat.running || !isFresh(beat)),
    ];
    // A poller with heartbeats about the time of its last poll is judged by those. Heartbeats from well before it may be
    // of an earlier process with the same identity.
    const withoutHeartbeat = pollers.filter(
      (poller) =>
        poller.atMs > atMs - pollMs &&
        !own.some(({ identity, atMs }) => identity === poller.identity && atMs > poller.atMs - freshMs),
    );
    return {
      queue,
      live: [...new Set([...alive, ...withoutHeartbeat].map(({ identity }) => identity))],
      ...(dead.length > 0 && { lastSeenMs: Math.max(...dead.map((beat) => beat.atMs)) }),
      waiting,
      ...(waitingSinceMs !== undefined && { waitingSinceMs }),
    };
  });
}

async function look(client: Client, platform: string, queues: readonly Queue[]): Promise<Look> {
  const [heartbeats, readings] = await Promise.all([
    heartbeatsOf(client, platform),
    Promise.all(queues.map((queue) => readQueue(client, platform, queue))),
  ]);
  return { atMs: Date.now(), heartbeats, queues: readings };
}

/** `UNIMPLEMENTED` and `NOT_FOUND` of https://grpc.io/docs/guides/status-codes/. */
const unimplemented = 12;
const notFound = 5;

/** For `catch`: the value where Temporal answered with this code; other errors are thrown on. */
const insteadOf =
  <T>(code: number, value: T) =>
  (error: unknown): T => {
    const answered: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
    if (answered === code) return value;
    throw error;
  };

/** `WORKER_STATUS_RUNNING` of temporal/api/enums/v1/common.proto. */
const running = 1;

/** A process has a handful of Workers; more than these are no platform of ours. */
const mostWorkers = 1000;

async function heartbeatsOf({ workflowService, options }: Client, platform: string): Promise<Heartbeat[]> {
  const { namespace } = options;
  const query = `TaskQueue STARTS_WITH '${platform}/'`;
  const { workers } = await workflowService
    .listWorkers({ namespace, query, pageSize: mostWorkers })
    .catch(insteadOf(unimplemented, { workers: [] }));
  const found = await Promise.all(
    workers.map(async ({ workerInstanceKey }) => {
      const { workerInfo } = await workflowService
        .describeWorker({ namespace, workerInstanceKey: workerInstanceKey ?? '' })
        // Temporal forgot it between the two questions.
        .catch(insteadOf(notFound, { workerInfo: undefined }));
      return workerInfo?.workerHeartbeat ?? undefined;
    }),
  );
  return found.flatMap((beat) => {
    const atMs = optionalTsToMs(beat?.heartbeatTime);
    if (!beat || atMs === undefined) return [];
    return [
      {
        taskQueue: beat.taskQueue ?? '',
        identity: beat.workerIdentity ?? somebody,
        key: beat.workerInstanceKey ?? '',
        running: Number(beat.status) === running,
        atMs,
      },
    ];
  });
}

const somebody = 'somebody';

/** `TASK_QUEUE_TYPE_*` of temporal/api/enums/v1/task_queue.proto. */
const types = { workflow: 1, activity: 2 } as const;

async function readQueue(client: Client, platform: string, queue: Queue): Promise<QueueReading> {
  const name = taskQueue(platform, queue);
  const [activities, workflows] = await Promise.all([
    describeQueue(client, name, 'activity'),
    queue === 'delivery' ? describeQueue(client, name, 'workflow') : undefined,
  ]);
  const stats = [activities.stats, workflows?.stats];
  const ageMs = Math.max(...stats.map((one) => optionalTsToMs(one?.approximateBacklogAge) ?? 0));
  const waiting = stats.reduce((sum, one) => sum + Number(one?.approximateBacklogCount ?? 0), 0);
  return {
    queue,
    taskQueue: name,
    pollers: (workflows ?? activities).pollers.map(({ identity, lastAccessTime }) => ({
      identity: identity ?? somebody,
      atMs: optionalTsToMs(lastAccessTime) ?? 0,
    })),
    waiting,
    ...(waiting > 0 && { waitingSinceMs: Date.now() - ageMs }),
  };
}

function describeQueue({ workflowService, options }: Client, name: string, type: keyof typeof types) {
  return workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- its package is the SDK's own affair
    taskQueueType: types[type],
    reportStats: true,
  });
}
