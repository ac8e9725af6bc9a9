import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { changeName, changeSchema } from '../model/delivery/change.ts';
import type { Attempt } from '../model/delivery/delivery.ts';
import { digestSchema, nameSchema, shaSchema } from '../model/names.ts';
import type { Live } from '../model/promotion/drift.ts';
import { isUnderWay, promotionStates, type PromotionState } from '../model/promotion/promotion.ts';
import { attributes, termOf } from '../model/temporal/search-attributes.ts';
import { taskQueue, type Queue } from '../model/temporal/task-queues.ts';
import type { Problem } from '../model/temporal/problem.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { observe, withoutDrift, type Place } from './observe.ts';
import { listProblems } from './list-problems.ts';
import { asOfNow, listWorkflows, type Described, type Known } from './visibility.ts';

/** One row of `status`: what visibility knows of a change without asking its workflow. */
export interface ListedChange {
  change: string;
  service: string;
  commit: string;
  subject?: string;
  state: PromotionState;
  workflowId: string;
  /** ISO 8601 */
  startedAt: string;
  finishedAt?: string;
}

/** One service in one environment. */
export interface ListedEnvironment {
  environment: string;
  service: string;
  /** What it is busy with, or was last: `<service>/<sha>`. */
  change?: string;
  state?: PromotionState;
  /** What this program brought there last, and when. */
  current?: { change: string; at: string };
  lastHealthy?: { change: string; at: string };
  /** What runs there now; missing where no worker answered. */
  live?: Live;
}

export interface Listing {
  /** Newest first. */
  changes: ListedChange[];
  environments: ListedEnvironment[];
  /** What stands still in the platform until somebody does something, whatever was asked for; empty when all is well. */
  problems: Problem[];
}

export const listFilterSchema = z.strictObject({
  service: nameSchema.exactOptional(),
  /** Only this environment, and the changes that it has or had last. */
  environment: nameSchema.exactOptional(),
  /** Whether a worker is asked what the environments run now, by a short workflow. */
  live: z.boolean().default(false),
  /** How many changes at most. */
  limit: z.int().min(1).max(1000).default(50),
});
export type ListFilter = z.input<typeof listFilterSchema>;

/**
 * Lists from visibility and memo: asking thousands of workflows would keep the workers busy for minutes. What runs a worker
 * reads from its watch, thousands at once. Visibility lags, so what may have moved is described by the server: a list says
 * what a change's own status says.
 */
export async function listAll(
  client: Client,
  platform: string,
  { service, environment, live: isLive, limit }: z.output<typeof listFilterSchema>,
): Promise<Listing> {
  const ours = [termOf('platform', platform), ...(service === undefined ? [] : [termOf('service', service)])];
  const ofEnvironment = environment === undefined ? [] : [termOf('environment', environment)];
  const problems = listProblems(client, platform);
  // Waited for below; what fails before that is thrown first.
  problems.catch(() => undefined);
  const [known, listed] = await Promise.all([
    environmentsOf(client, [...ours, ...ofEnvironment]),
    listWorkflows(client, [...ours, 'WorkflowType = "deliverService"'], limit),
  ]);
  const ids = new Set(listed.map(({ workflowId }) => workflowId));
  const deliveries = await asOfNow(client, ids);
  const places = await withMoved(client, known, deliveries);
  const rows = places.flatMap(listedEnvironment);
  const inPlaces = new Set(rows.filter(isUnderWay).flatMap((row) => deliveryOf(platform, row)));
  const others = await asOfNow(client, inPlaces.difference(ids));
  const states = statesOf([...others, ...deliveries], rows);

  const found = await problems;
  const isServed = (queue: Queue) => !found.some((problem) => problem.queue === taskQueue(platform, queue));
  const canAsk = isLive && isServed('delivery') && isServed('wait');
  const liveIn = canAsk ? await observe(client, platform, places.flatMap(placeOf)) : undefined;
  const environments = rows.map((row) => {
    const live = liveIn?.(row);
    return {
      ...row,
      ...(isUnderWay(row) && { state: states.get(row.change ?? '') ?? row.state }),
      // Where something is on its way, what was promoted last may be older than what is there.
      ...(live && { live: isUnderWay(row) ? withoutDrift(live) : live }),
    };
  });

  const inEnvironment = new Set(environments.map(({ change }) => change));
  const changes = deliveries
    .flatMap(({ info }) => listedChange(info))
    .filter(({ change }) => environment === undefined || inEnvironment.has(change))
    .map((listed) => ({ ...listed, state: states.get(listed.change) ?? listed.state }));
  return {
    changes: newestFirst(changes),
    environments: environments.toSorted(byPlace),
    problems: found,
  };
}

/** The environments, of which those are looked at again whose services have changes under way. */
async function withMoved(
  client: Client,
  known: readonly Known[],
  deliveries: readonly Described[],
): Promise<Known[]> {
  const open = deliveries.filter(({ info }) => info.status.name === 'RUNNING');
  const services = new Set(open.map(({ info }) => info.typedSearchAttributes.get(attributes.service)));
  const hasMoved = (info: Known): boolean =>
    stateOf(info) === 'running' || services.has(info.typedSearchAttributes.get(attributes.service));
  const moved = known.filter(hasMoved).map(({ workflowId }) => workflowId);
  const described = await asOfNow(client, moved);
  const live = described.filter(({ info }) => info.status.name === 'RUNNING');
  return [...known.filter((info) => !hasMoved(info)), ...live.map(({ info }) => info)];
}

function deliveryOf(platform: string, { service, change }: ListedEnvironment): string[] {
  const [, commit] = change?.split('/') ?? [];
  return commit === undefined ? [] : [deliverId(platform, { service, commit })];
}

/**
 * How changes are, by name. An environment says what it is busy with, and only later how that ended; its delivery knows,
 * since it is in one environment at a time. One that has nothing to do and is in none waits for one that is busy.
 */
function statesOf(deliveries: readonly Described[], rows: ListedEnvironment[]): Map<string, PromotionState> {
  const own = new Map(
    deliveries.flatMap(({ info, isIdle }) =>
      listedChange(info).map((listed) => [listed.change, { ...listed, isIdle }]),
    ),
  );
  const busy = rows.filter((row) => isUnderWay(row) && isUnderWay(own.get(row.change ?? '') ?? {}));
  return new Map(
    own.values().map(({ change, service, state, isIdle }) => {
      const isBehind =
        state === 'running' &&
        isIdle &&
        busy.some((row) => row.service === service) &&
        busy.every((row) => row.change !== change);
      return [change, isBehind ? 'waiting' : state];
    }),
  );
}

const byPlace = (a: ListedEnvironment, b: ListedEnvironment): number =>
  a.service.localeCompare(b.service) || a.environment.localeCompare(b.environment);

const newestFirst = (changes: ListedChange[]): ListedChange[] =>
  changes.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));

function listedChange(info: Known): ListedChange[] {
  const service = info.typedSearchAttributes.get(attributes.service);
  const commit = info.typedSearchAttributes.get(attributes.commit);
  if (service === undefined || commit === undefined) return [];
  const subject = info.memo?.['subject'];
  return [
    {
      change: changeName({ service, commit }),
      service,
      commit,
      ...(typeof subject === 'string' && { subject }),
      workflowId: info.workflowId,
      ...attemptOf(info),
    },
  ];
}

/** Who is closed but says it is under way was terminated from outside. */
function stateOf({ typedSearchAttributes, status, type }: Known): PromotionState | undefined {
  const told = typedSearchAttributes.get(attributes.state);
  const state = promotionStates.find((one) => one === told);
  const closed = type === 'deliverService' && status.name !== 'RUNNING';
  return closed && isUnderWay({ state }) ? 'failed' : state;
}

/** One delivery of a change. */
export const attemptOf = (info: Known): Attempt => ({
  state: stateOf(info) ?? 'running',
  startedAt: info.startTime.toISOString(),
  ...(info.closeTime && { finishedAt: info.closeTime.toISOString() }),
});

const deployedSchema = z.object({ change: changeSchema, at: z.string() });
const promotedSchema = z.object({
  change: changeSchema,
  revision: shaSchema,
  image: z.object({ digest: digestSchema }).optional(),
  overlay: z.object({ commit: shaSchema }).optional(),
});

function deployed(value: unknown): { change: string; at: string } | undefined {
  const { data } = deployedSchema.safeParse(value);
  return data && { change: changeName(data.change), at: data.at };
}

/** Where a worker is to look, and what should be there. */
export function placeOf({ typedSearchAttributes, memo }: Known): Place[] {
  const environment = typedSearchAttributes.get(attributes.environment);
  const service = typedSearchAttributes.get(attributes.service);
  if (environment === undefined || service === undefined) return [];
  const { data } = promotedSchema.safeParse(memo?.['current']);
  if (!data) return [{ environment, service }];
  const { change, revision, image, overlay } = data;
  const promoted = {
    change,
    revision,
    ...(image && { image: image.digest }),
    ...(overlay && { overlay: overlay.commit }),
  };
  return [{ environment, service, promoted }];
}

/** The environments of a platform that have been asked for anything yet. */
export const environmentsOf = (client: Client, ours: readonly string[]): Promise<Known[]> =>
  listWorkflows(client, [...ours, 'WorkflowType = "environment"', 'ExecutionStatus = "Running"']);

export function listedEnvironment(info: Known): ListedEnvironment[] {
  const environment = info.typedSearchAttributes.get(attributes.environment);
  const service = info.typedSearchAttributes.get(attributes.service);
  const commit = info.typedSearchAttributes.get(attributes.commit);
  if (environment === undefined || service === undefined) return [];
  const state = stateOf(info);
  const current = deployed(info.memo?.['current']);
  const lastHealthy = deployed(info.memo?.['lastHealthy']);
  return [
    {
      environment,
      service,
      ...(commit !== undefined && { change: changeName({ service, commit }) }),
      ...(state !== undefined && { state }),
      ...(current && { current }),
      ...(lastHealthy && { lastHealthy }),
    },
  ];
}
