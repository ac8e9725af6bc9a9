import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, test as base, vi } from 'vitest';
import { readStatus } from '../../src/client/status.ts';
import type { PullRequestReading } from '../../src/model/promotion/promotion.ts';
import type { Change } from '../../src/model/delivery/change.ts';
import type { Delivery } from '../../src/model/delivery/delivery.ts';
import type { EnvironmentView } from '../../src/model/promotion/environment.ts';
import { environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { queues, taskQueue, type Queue } from '../../src/model/temporal/task-queues.ts';
import { decide, environmentStatus, pullRequestChanged } from '../../src/model/temporal/messages.ts';
import type { Decision, DecisionRequest } from '../../src/model/decisions/decision.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { deliveryStart } from '../../src/model/temporal/delivery-start.ts';
import type { deliverService } from '../../src/workflows/deliver-service.ts';
import { heartbeatEveryMs } from '../../src/systems/temporal/workers.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { misroutedIn } from './contract-queues.ts';
import { runsOf, type Run } from './histories.ts';
import { passTime, startTemporal } from './temporal.ts';
import { World, type AllActivities } from './world.ts';

let presentWorkflows: WorkflowBundleOption;

let temporal: TestWorkflowEnvironment;

/** One Temporal server and one workflow bundle for a test file. @param settings of the server, as `key=value` */
export function useTemporal(...settings: string[]): void {
  beforeAll(async () => {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, workerHeartbeatInterval: heartbeatEveryMs });
    presentWorkflows = await workflowBundle(false);
    temporal = await startTemporal(...settings);
  }, 60_000);
  afterAll(() => temporal.teardown());
}

export interface Rig {
  world: World;
  temporal: TestWorkflowEnvironment;
  platform: string;
  deliver(change: Change, image?: string): Promise<WorkflowHandle<typeof deliverService>>;
  /** Starts another workflow of the platform. */
  start<T = unknown>(
    type: string,
    workflowId: string,
    input: object,
  ): Promise<WorkflowHandle<() => Promise<T>>>;
  environment(environment: string, service: string): WorkflowHandle;
  view(environment: string, service: string): Promise<EnvironmentView>;
  status(change: Change): Promise<Delivery>;
  /** Waits until a delivery shows what is asked of it; fails with what it shows instead. */
  sees(
    change: Change,
    what: Partial<Delivery>,
    patience?: { timeout: number; interval: number },
  ): Promise<Delivery>;
  review(environment: string, service: string, verdict: 'approve' | 'reject'): Promise<void>;
  /** Somebody lays hands on the open pull request. */
  touch(environment: string, service: string, what: Partial<PullRequestReading>): Promise<void>;
  decide(environment: string, request: DecisionRequest): Promise<Decision>;
  /** Lets the clock of one workflow jump on, over what it waits for; see `passTime`. */
  passTime(handle: Pick<WorkflowHandle, 'workflowId'>, ms: number): Promise<void>;
  /** From then on nobody works on its queues. */
  endWorkers(): Promise<void>;
  /** And from then on somebody does again; with these workflows, if any are given. */
  startWorkers(code?: WorkflowBundleOption): Promise<void>;
  /** Ends all workflows. @returns what they were */
  close(): Promise<Run[]>;
}

/**
 * Workers of a platform of its own; after the test every workflow that it started is replayed whole, and all that it asked
 * for was asked of those who may do it.
 */
export const test = base.extend<{ environments: string[]; slots: Partial<Record<Queue, number>>; rig: Rig }>({
  environments: ['dev', 'staging', 'production'],
  /** How much is done at a time, queue by queue; where it says nothing, all. */
  slots: {},
  rig: async ({ environments, slots }, use) => {
    const platform = newPlatform();
    const world = new World(platform, environments);
    const serve = (code?: WorkflowBundleOption) =>
      startWorkers(platform, (client) => world.activities(client), { code, slots });
    let end = await serve();
    try {
      await use({
        ...rigOf(platform, world),
        endWorkers: () => end(),
        startWorkers: async (code) => {
          end = await serve(code);
        },
      });
    } finally {
      const histories = await closeAll(platform);
      await end();
      await checkAll(histories);
    }
  },
});

export const newPlatform = (): string => `p${randomUUID().slice(0, 8)}`;

interface Serving {
  /** The present workflows, unless others are given, or somebody else carries them out. */
  code?: WorkflowBundleOption | 'none' | undefined;
  /** What histories say of who did it. */
  identity?: string;
  /** How much is done at a time, queue by queue; where it says nothing, all. */
  slots?: Partial<Record<Queue, number>>;
  /** Like that of another process: of workers that share one, no two may serve the same queue. */
  ownConnection?: boolean;
}

/** Serves every queue of a platform. @returns ends them */
export async function startWorkers(
  platform: string,
  activitiesOf: (client: Client) => AllActivities,
  { code = presentWorkflows, identity, slots = {}, ownConnection = false }: Serving = {},
): Promise<() => Promise<void>> {
  const activities = activitiesOf(temporal.client);
  const connection = ownConnection
    ? await NativeConnection.connect({ address: temporal.address })
    : temporal.nativeConnection;
  const workers = await Promise.all(
    queues.map((queue) =>
      Worker.create({
        connection,
        taskQueue: taskQueue(platform, queue),
        activities,
        ...(queue === 'delivery' && code !== 'none' && { workflowBundle: code }),
        ...(identity !== undefined && { identity }),
        ...(slots[queue] !== undefined && { maxConcurrentActivityTaskExecutions: slots[queue] }),
        shutdownForceTime: '5 seconds',
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  async function end(): Promise<void> {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running);
    if (ownConnection) await connection.close();
  }
  let ended: Promise<void> | undefined;
  return () => (ended ??= end());
}

export function rigOf(platform: string, world: World): Omit<Rig, 'endWorkers' | 'startWorkers'> {
  const { client } = temporal;
  const environment = (name: string, service: string) =>
    client.workflow.getHandle(environmentId(platform, name, service));
  const status = (change: Change) => readStatus(client, platform, change, undefined);
  const view = (name: string, service: string) => environment(name, service).query(environmentStatus);

  async function touch(name: string, service: string, what: Partial<PullRequestReading>): Promise<void> {
    const number = (await view(name, service)).active?.view.pullRequest?.number;
    const reading = world.pullRequests.get(number ?? 0);
    if (number === undefined || !reading) throw new Error('No pull request is open.');
    Object.assign(reading, what);
    await environment(name, service).signal(pullRequestChanged, { number });
  }

  return {
    world,
    temporal,
    platform,
    environment,
    passTime: ({ workflowId }, ms) => passTime(client, workflowId, ms),
    view,
    status,
    start: <T>(type: string, workflowId: string, input: object) =>
      client.workflow.start<(input: object) => Promise<T>>(type, {
        workflowId,
        taskQueue: taskQueue(platform, 'delivery'),
        args: [input],
        typedSearchAttributes: [{ key: attributes.platform, value: platform }],
      }),
    deliver: (change, image) =>
      client.workflow.start<typeof deliverService>('deliverService', {
        ...deliveryStart(platform, change, image === undefined ? {} : { image }),
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    sees: (change, what, patience = { timeout: 60_000, interval: 50 }) =>
      vi.waitFor(async () => {
        const delivery = await status(change);
        expect(delivery).toMatchObject(what);
        return delivery;
      }, patience),
    review: (name, service, verdict) =>
      touch(
        name,
        service,
        verdict === 'approve' ? { approvedBy: ['reviewer'] } : { rejectedBy: ['reviewer'] },
      ),
    touch,
    close: () => closeAll(platform),
    decide: (name, request) =>
      environment(name, request.change.service).executeUpdate(decide, { args: [request] }),
  };
}

/** Ends what is still open, since only a history with an end can be replayed whole. */
export async function closeAll(platform: string): Promise<Run[]> {
  const { workflow } = temporal.client;
  const query = `${attributes.platform.name} = "${platform}" AND ExecutionStatus = "Running"`;
  for await (const { workflowId } of workflow.list({ query })) {
    await workflow.getHandle(workflowId).terminate('The test is over.').catch(ignoreClosed);
  }
  return runsOf(temporal.client, platform);
}

function ignoreClosed(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** Each is what the present workflows do, and asked only those who may. */
export async function checkAll(histories: Run[]): Promise<void> {
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: presentWorkflows }, histories)) {
    if (error) throw error;
  }
  expect(histories.flatMap(misroutedIn)).toEqual([]);
}
