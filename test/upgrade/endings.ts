import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { activityInfo } from '@temporalio/activity';
import type { WorkflowBundle } from '@temporalio/worker';
import pLimit from 'p-limit';
import { expect, vi } from 'vitest';
import { contractQueues } from '../support/contract-queues.ts';
import type { Run } from '../support/histories.ts';
import { checkAll, closeAll, newPlatform, rigOf, startWorkers } from '../support/workflow-rig.ts';
import { World, type AllActivities } from '../support/world.ts';
import { commitAt, overBefore, patience, states, type Stage, type State, type Upgrade } from './states.ts';

export interface Ending {
  /** What became of the state's workflows and their world, but for names and times. */
  came: string;
  done: ReadonlySet<string>;
}

export interface Replacement {
  endings: ReadonlyMap<string, Ending | Error>;
  runs: readonly Run[];
}

/** How workers are replaced. */
export const ways = ['never', 'after they ended', 'one beside the other'] as const;
export type Way = (typeof ways)[number];

const environments = ['dev', 'staging', 'production'];

/** A name that a service and a cluster may have. */
const nameOf = (state: string): string => `s${Object.keys(states).indexOf(state)}`.padEnd(4, 'x');
const byName = new Map(Object.keys(states).map((state) => [nameOf(state), state]));

/** Which state a workflow belongs to: its name is a part of the ID. */
const stateOf = (workflowId: string): string | undefined =>
  workflowId
    .split(/[/-]/)
    .map((part) => byName.get(part))
    .find((state) => state !== undefined);

/** Each activity is done in the world of its own state. */
const doneIn =
  (worlds: ReadonlyMap<string, World>) =>
  (client: Client): AllActivities => {
    const activities = new Map([...worlds].map(([state, world]) => [state, world.activities(client)]));
    const dispatch = (name: keyof AllActivities) => (input: never) => {
      const { workflowId = '' } = activityInfo().workflowExecution ?? {};
      const work = activities.get(stateOf(workflowId) ?? '')?.[name] as
        ((input: never) => Promise<unknown>) | undefined;
      if (!work) throw new Error(`Nobody does ${name} of ${workflowId}.`);
      return work(input);
    };
    const names = Object.keys(contractQueues) as (keyof AllActivities)[];
    return Object.fromEntries(names.map((name) => [name, dispatch(name)])) as unknown as AllActivities;
  };

/** So many states get on at a time: what waits for all others asks nobody anything, and two cores carry the rest. */
const atATime = 8;

/** Lets every state come about under the previous workflows, and end under the present ones. */
export async function replaceWorkers(way: Way, previous: WorkflowBundle): Promise<Replacement> {
  const platform = newPlatform();
  const worlds = new Map(Object.keys(states).map((state) => [state, new World(platform, [...environments])]));
  const activities = doneIn(worlds);
  const endPrevious = await startWorkers(platform, activities, {
    code: previous,
    identity: 'previous',
    ownConnection: true,
  });
  let endPresent = () => Promise.resolve();
  const startPresent = async () =>
    (endPresent = await startWorkers(platform, activities, { identity: 'present', ownConnection: true }));

  const [halfway, replaced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const moments = { turn: turnsOf(atATime), halfway: halfway.promise, replaced: replaced.promise };
  const all = [...worlds].map(([state, world]) => ({
    state,
    world,
    ...begin(states[state], stageOf(platform, state, world), moments),
  }));
  try {
    await Promise.all(all.map(({ reached }) => reached));
    if (way === 'after they ended') await endPrevious();
    if (way === 'one beside the other') await startPresent();
    halfway.resolve();
    await Promise.all(all.map(({ happened }) => happened));
    if (way === 'after they ended') await startPresent();
    if (way === 'one beside the other') await endPrevious();
    replaced.resolve();

    const overs = await Promise.all(all.map(({ over }) => over));
    const runs = await closeAll(platform);
    // What the present release did alone is replayed where it is tested.
    await checkAll(way === 'never' ? runs : runs.filter(isTakenOver));
    const endings = all.map(({ state, world }, index): [string, Ending | Error] => {
      const over = overs[index] ?? new Error('It never began.');
      if (over instanceof Error) return [state, over];
      const own = runs.filter(({ workflowId }) => stateOf(workflowId) === state);
      const wronged = way === 'after they ended' && state !== overBefore && !own.some(isTakenOver);
      if (wronged)
        return [state, new Error('No workflow of it began under the previous release and went on.')];
      return [state, { came: cameOf(world, own, over.told), done: world.done }];
    });
    return { endings: new Map(endings), runs };
  } finally {
    await Promise.all([endPrevious(), endPresent()]);
  }
}

/** Waits for a turn. @returns what ends it */
type Turn = () => Promise<() => void>;

function turnsOf(atATime: number): Turn {
  const turns = pLimit(atATime);
  return () => new Promise((begun) => void turns(() => new Promise<void>((end) => begun(end))));
}

/** Lets a state come about. @returns when it has, when all has happened that happens meanwhile, and how it ended */
function begin(
  state: State | undefined,
  stage: Stage,
  { turn, halfway, replaced }: { turn: Turn; halfway: Promise<void>; replaced: Promise<void> },
) {
  const [reached, happened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function live(): Promise<unknown> {
    let endTurn = await turn();
    const upgrade: Upgrade = async (meanwhile) => {
      endTurn();
      reached.resolve();
      await halfway;
      endTurn = await turn();
      await meanwhile?.();
      endTurn();
      happened.resolve();
      await replaced;
      endTurn = await turn();
    };
    try {
      const told = await state?.(stage, upgrade);
      await untilAtRest(stage);
      return told;
    } finally {
      endTurn();
    }
  }
  const over = Promise.race([live(), tooLate()]).then(
    (told) => ({ told }),
    (error: Error) => error,
  );
  const first = (promise: Promise<void>) => Promise.race([promise, over]);
  return { reached: first(reached.promise), happened: first(happened.promise), over };
}

/** @throws Error after so long that something stands still for ever */
async function tooLate(): Promise<never> {
  await delay(5 * 60_000, undefined, { ref: false });
  throw new Error('It stood still, or others that it waited for did.');
}

function stageOf(platform: string, state: string, world: World): Stage {
  const rig = rigOf(platform, world);
  const name = nameOf(state);
  return {
    ...rig,
    name,
    change: { service: name, commit: commitAt(1) },
    sees: (change, what) => rig.sees(change, what, patience),
  };
}

/** Beside their answers, environments store what they know and close what was refused. */
async function untilAtRest({ environment, name }: Stage): Promise<void> {
  for (const place of environments) {
    await vi.waitFor(async () => {
      const found = await environment(place, name).describe().catch(ignoreMissing);
      expect(found?.raw.pendingActivities ?? []).toEqual([]);
      expect(found?.raw.pendingWorkflowTask ?? undefined).toBeUndefined();
    }, patience);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

/** It was begun by the previous release's code, and gone on with by the present one. */
export const isTakenOver = ({ history }: Run): boolean => {
  const by = history.events?.map((event) => event.workflowTaskCompletedEventAttributes?.identity) ?? [];
  return by.includes('previous') && by.includes('present');
};

/** Activities that the previous release's code asked for, and of which the present one read the answer. */
export const activitiesTakenOver = (runs: readonly Run[]): Set<string> =>
  new Set(
    runs.flatMap(({ history: { events } }) => {
      const all = events ?? [];
      return all.flatMap(({ activityTaskCompletedEventAttributes: answered }, index) => {
        const asked = all[Number(answered?.scheduledEventId) - 1]?.activityTaskScheduledEventAttributes;
        const asker = all[Number(asked?.workflowTaskCompletedEventId) - 1];
        const reader = all.slice(index).find((event) => event.workflowTaskCompletedEventAttributes);
        const by = [asker, reader].map((event) => event?.workflowTaskCompletedEventAttributes?.identity);
        return by.join() === 'previous,present' ? (asked?.activityType?.name ?? []) : [];
      });
    }),
  );

/** How a run stands, by the last of its events. */
const endOf = ({ workflowId, history }: Run): string =>
  `${workflowId} ${Object.keys(history.events?.at(-1) ?? {}).find((key) => key.endsWith('EventAttributes'))}`;

/** What only the present release asks for. */
export const addedActivities: ReadonlySet<string> = new Set([
  'previewRelease',
  'previewOverlay',
  'observe',
  'previewRemoval',
  'removeApplication',
  'forgetEnvironment',
]);
export const addedWorkflows: ReadonlySet<string> = new Set(['observeEnvironments']);

/** What only the present release tells. Of all that the previous one told, nothing may be missing or different. */
const addedFields = new Set(['askedAt', 'voided']);

/** Environments live on; how many runs one has is its own affair. */
function cameOf(world: World, runs: readonly Run[], told: unknown): string {
  const { effects, deliveries, memories, pullRequests } = world;
  const workflows = runs
    .filter(({ type }) => type !== 'environment')
    .map(endOf)
    .toSorted();
  const came = {
    told,
    workflows,
    effects,
    deliveries,
    memories: [...memories],
    pullRequests: [...pullRequests],
  };
  return JSON.stringify(came, (key, value: unknown) => (addedFields.has(key) ? undefined : value), 2)
    .replaceAll(/\bp[0-9a-f]{8}\//g, '')
    .replaceAll(/\bs\d+x*\b/g, 'service')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d{4}-\d\d-\d\d\/\d{6}Z/g, 'then');
}
