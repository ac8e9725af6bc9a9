import { availableParallelism } from 'node:os';
import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { silenceOf } from './config/silence.ts';
import type { Config } from './config/schema.ts';
import { taskQueue, type Queue } from './model/temporal/task-queues.ts';
import { clearDeadBuilds } from './systems/images/build-store.ts';
import type { PayloadKey } from './systems/temporal/codec.ts';
import { connectionSettings, connectPatiently } from './systems/temporal/connect.ts';
import { removeLeftovers } from './systems/work-directory/leftovers.ts';
import { heartbeatEveryMs } from './systems/temporal/workers.ts';
import { workerConverter } from './systems/temporal/data-converter.ts';
import { activitiesOf } from './wiring/activities.ts';
import { givingUp } from './worker/give-up.ts';
import { heartbeating } from './worker/heartbeats.ts';
import { workflowBundle } from './worker/bundle.ts';
import { createSystems, imagesIn, ownFolders } from './wiring/systems.ts';
import { payloadKeysOf } from './wiring/payload-keys.ts';
import { workDirectoryOf } from './wiring/work-directory.ts';

export interface WorkerRun {
  config: Config;
  /** What this process serves; each queue has a Worker of its own in it. */
  queues: readonly Queue[];
  log: Logger;
  /** Called when all of them take work. */
  ready: () => void;
  /** Ends it as SIGTERM does. */
  stop?: AbortSignal;
  /** The outside world; benches have one of their own. */
  systemsOf?: typeof createSystems;
}

/**
 * Serves the queues until SIGTERM or SIGINT, then lets what is under way end. A process may do so again: its runtime ends
 * with its last connection.
 *
 * @throws Error when Temporal does not come up within minutes, or one of the Workers fails
 */
export async function runWorker(run: WorkerRun): Promise<void> {
  const { config, queues, log } = run;
  const workDirectory = workDirectoryOf(config.platform);
  await Promise.all(ownFolders(workDirectory).map(removeLeftovers));
  if (queues.includes('build')) await clearDeadBuilds(imagesIn(workDirectory));

  const keys = payloadKeysOf(config);
  const client = await connectPatiently(keys, log);
  try {
    await serve(run, client, keys, workDirectory);
  } finally {
    // Else a process that could not begin would not end either.
    await client.connection.close();
  }
}

async function serve(
  { config, queues, log, ready, stop, systemsOf = createSystems }: WorkerRun,
  client: Client,
  keys: PayloadKey[],
  workDirectory: string,
): Promise<void> {
  // From here on signals drain the Workers; before, they end the process.
  Runtime.install({
    logger: log,
    workerHeartbeatInterval: heartbeatEveryMs,
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
  const { namespace, options } = connectionSettings();
  const code = queues.includes('delivery') ? await workflowBundle(keys.length > 0) : undefined;
  const systems = systemsOf(config, client, workDirectory);
  const silence = silenceOf(config);
  const connection = await NativeConnection.connect(options);
  try {
    const workers = await Promise.all(
      queues.map((queue) =>
        Worker.create({
          ...capacity(config, queue),
          ...(queue === 'delivery' && code && { workflowBundle: code }),
          connection,
          namespace,
          dataConverter: workerConverter(keys),
          taskQueue: taskQueue(config.platform, queue),
          activities: activitiesOf[queue](systems, workDirectory),
          interceptors: { activity: queue === 'build' ? [heartbeating, givingUp] : [heartbeating] },
          // What an activity tells is passed on this soon, and at the latest before its silence counts as its end.
          maxHeartbeatThrottleInterval: Math.min(5000, silence.exchangeMs / 2),
          // So long a workflow waits for the worker that has it in memory, and which may be dead.
          stickyQueueScheduleToStartTimeout: Math.min(longestStickyMs, silence.exchangeMs),
          ...shutdown,
        }),
      ),
    );
    await runAll(workers, ready, stop);
  } finally {
    systems.close();
    await connection.close();
  }
}

/** Temporal's own default. */
const longestStickyMs = 10_000;

/** Together less than the 30 seconds that Kubernetes waits before it kills. */
const shutdown = { shutdownGraceTime: '10 seconds', shutdownForceTime: '25 seconds' } as const;

function capacity({ worker }: Config, queue: Queue): Partial<WorkerOptions> {
  const { slots, cachedWorkflows } = worker;
  return {
    // Tests and image builds use a whole core each.
    maxConcurrentActivityTaskExecutions: slots[queue] ?? availableParallelism(),
    ...(cachedWorkflows !== undefined && { maxCachedWorkflows: cachedWorkflows }),
  };
}

/** One that fails takes the others with it: a process that serves half of its queues looks healthy and is not. */
async function runAll(workers: readonly Worker[], ready: () => void, stop?: AbortSignal): Promise<void> {
  const end = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const runs = workers.map((worker) => worker.run());
  ready();
  stop?.addEventListener('abort', end);
  if (stop?.aborted) end();
  try {
    await Promise.all(runs);
  } catch (error) {
    end();
    await Promise.allSettled(runs);
    throw error;
  }
}
