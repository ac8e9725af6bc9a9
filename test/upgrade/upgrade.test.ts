import { rm } from 'node:fs/promises';
import type { Client } from '@temporalio/client';
import type { WorkflowBundle } from '@temporalio/worker';
import { activityInfo } from '@temporalio/activity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { decideSignal, pollAgain } from '../../src/model/temporal/messages.ts';
import {
  backupId,
  deliverId,
  drillId,
  nightlyBackupId,
  pollId,
  recreationId,
} from '../../src/model/temporal/workflow-ids.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { contractQueues } from '../support/contract-queues.ts';
import type { Run } from '../support/histories.ts';
import { previousBundle, previousRelease } from './previous-release.ts';
import { resetToBefore } from '../support/temporal.ts';
import {
  checkAll,
  closeAll,
  newPlatform,
  rigOf,
  startWorkers,
  useTemporal,
  type Rig,
} from '../support/workflow-rig.ts';
import { World, type AllActivities } from '../support/world.ts';

/**
 * The previous release's own workflows are brought into every state that can last, and the present ones end them: as they
 * end when nobody replaces anything. Each state has a service of its own, and all of them share the workers that are
 * replaced.
 */
useTemporal();

/** What a state's workflows have: their names, people, and a world of their own. */
type Stage = Omit<Rig, 'endWorkers' | 'startWorkers' | 'close'> & {
  name: string;
  change: { service: string; commit: string };
};

/** Workers are replaced. @param meanwhile what happens while none is there, or both are */
type Upgrade = (meanwhile?: () => Promise<unknown>) => Promise<void>;

type State = (stage: Stage, upgrade: Upgrade) => Promise<unknown>;

const hour = 3_600_000;

/** Some seventy deliveries get on at once, and each waits until all of them are where they should be. */
const patience = { timeout: 300_000, interval: 200 };

const until = <T>(read: () => T) => expect.poll(read, patience);

const review = { waitingFor: 'a review of pull request #1: https://forge/1' };
const decisions = { waitingFor: '2 of 2 approvals' };
const commitAt = World.commit;

function unasked({ world }: Stage): void {
  for (const settings of Object.values(world.settings)) settings.approval = { by: 'none' };
}

const approve = async ({ decide, change }: Stage, ...people: string[]): Promise<void> => {
  for (const by of people) await decide('production', { change, verdict: 'approve', by });
};

async function reviewed(stage: Stage): Promise<void> {
  await stage.sees(stage.change, review);
  await stage.review('staging', stage.name, 'approve');
}

async function decided(stage: Stage): Promise<void> {
  await stage.sees(stage.change, decisions);
  await approve(stage, 'board-1', 'board-2');
}

const ends = async (handle: { result(): Promise<unknown> }): Promise<unknown> =>
  handle.result().catch((error: unknown) => error);

/** All that a delivery asks of the world where people are asked for everything. */
const points = [
  'deliver verifyChange',
  'deliver testService',
  'deliver buildImage',
  ...['dev', 'staging', 'production'].flatMap((environment) =>
    ['askEnvironment', 'recallEnvironment', 'readRelease', 'awaitHealthy', 'rememberEnvironment'].map(
      (activity) => `${environment} ${activity}`,
    ),
  ),
  'dev writeRelease',
  ...['staging', 'production'].flatMap((environment) =>
    ['openPullRequest', 'mergePullRequest'].map((activity) => `${environment} ${activity}`),
  ),
  'staging readPullRequest',
  'staging runEndToEnd',
  'production readSettings',
  'production renderRelease',
  'production startSync',
  'deliver recordDelivery',
];

const recreationPoints = [
  'checkRecreation',
  'installArgoCd',
  'restoreBackup',
  'startArgoCd',
  'syncFrame',
  'syncWave',
  'restoreAutomation',
  'reportRecreation',
  'finishRecreation',
];

/** Those of them that there are only where somebody decided something. */
const afterPeople = new Set([
  'staging readPullRequest',
  'production readSettings',
  'production renderRelease',
]);

const heldDuring =
  (point: string): State =>
  async (stage, upgrade) => {
    const [of = ''] = point.split(' ');
    stage.world.environments = [of === 'deliver' ? 'dev' : of];
    if (!afterPeople.has(point)) unasked(stage);
    const { begun, goOn } = stage.world.hold(point);
    const delivery = await stage.deliver(stage.change);
    if (point === 'staging readPullRequest') await reviewed(stage);
    else if (afterPeople.has(point)) await decided(stage);
    await begun;
    await upgrade();
    goOn();
    await delivery.result();
  };

const recreationHeldDuring =
  (point: string, drill: boolean): State =>
  async ({ world, start, platform, name }, upgrade) => {
    const { begun, goOn } = world.hold(`deliver ${point}`);
    const id = drill ? drillId(platform, name, '1') : recreationId(platform, name);
    const input = { platform, cluster: name, ...(drill && { drill }) };
    const recreation = await start('recreateCluster', id, input);
    await begun;
    await upgrade();
    goOn();
    await recreation.result();
  };

const withdrawnDuring =
  (point: string): State =>
  async (stage, upgrade) => {
    const { world, change } = stage;
    world.environments = point.split(' ').slice(0, 1);
    unasked(stage);
    const { begun, goOn } = world.hold(point);
    const delivery = await stage.deliver(change);
    await begun;
    await delivery.cancel();
    await until(() => world.done).toContain(`${point.split(' ')[0]} withdrawAsk`);
    await upgrade();
    goOn();
    await ends(delivery);
  };

const overBefore = 'delivery that nothing holds up';
const looking = 'poll that is asked to look again meanwhile';

const states: Record<string, State> = {
  [overBefore]: async (stage, upgrade) => {
    const delivery = await stage.deliver(stage.change);
    await reviewed(stage);
    await decided(stage);
    await delivery.result();
    await upgrade();
  },
  ...Object.fromEntries(points.map((point) => [`delivery in ${point}`, heldDuring(point)])),

  // People are waited for.

  'delivery that waits for a review': async (stage, upgrade) => {
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade();
    await stage.review('staging', stage.name, 'approve');
    await decided(stage);
    await delivery.result();
  },
  'delivery that waits for a review, which comes meanwhile': async (stage, upgrade) => {
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    const pullRequest = stage.world.pullRequests.get(1);
    await upgrade(async () => {
      pullRequest?.approvedBy.push('reviewer');
      await stage.environment('staging', stage.name).signal('pullRequestChanged', { number: 1 });
    });
    await decided(stage);
    await delivery.result();
  },
  'delivery whose review is refused': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade();
    await stage.review('staging', stage.name, 'reject');
    await delivery.result();
  },
  'delivery that nobody reviews': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade();
    await stage.passTime(stage.environment('staging', stage.name), 8 * 24 * hour);
    await ends(delivery);
  },
  'delivery that waits for two decisions': async (stage, upgrade) => {
    stage.world.environments = ['production'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, decisions);
    await upgrade();
    await approve(stage, 'board-1', 'board-2');
    await delivery.result();
  },
  'delivery that waits for the second decision': async (stage, upgrade) => {
    stage.world.environments = ['production'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, decisions);
    await approve(stage, 'board-1');
    await upgrade();
    // Who decided before is still known.
    await expect(approve(stage, 'board-1')).rejects.toMatchObject({ cause: { type: 'Refused' } });
    await approve(stage, 'board-2');
    await delivery.result();
  },
  'delivery whose decisions are signalled meanwhile': async (stage, upgrade) => {
    const { change, name } = stage;
    stage.world.environments = ['production'];
    const delivery = await stage.deliver(change);
    await stage.sees(change, decisions);
    await upgrade(async () => {
      for (const by of ['board-1', 'board-2']) {
        const decision = { change, verdict: 'approve' as const, by };
        await stage.environment('production', name).signal(decideSignal, decision);
      }
    });
    await delivery.result();
  },
  'delivery that is rejected': async (stage, upgrade) => {
    stage.world.environments = ['production'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, decisions);
    await approve(stage, 'board-1');
    await upgrade();
    await stage.decide('production', { change: stage.change, verdict: 'reject', by: 'board-2' });
    await delivery.result();
  },
  'delivery that nobody decides on': async (stage, upgrade) => {
    stage.world.environments = ['production'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, decisions);
    await approve(stage, 'board-1');
    await upgrade();
    await stage.passTime(stage.environment('production', stage.name), 25 * hour);
    await ends(delivery);
  },
  'delivery that is merged and waits for decisions once more': async (stage, upgrade) => {
    const { world, change } = stage;
    world.environments = ['production'];
    world.movedDigest = 'sha256:moved';
    const delivery = await stage.deliver(change);
    await stage.sees(change, decisions);
    await approve(stage, 'board-1', 'board-2');
    await until(() => world.done).toContain('production renderRelease');
    await stage.sees(change, decisions);
    await upgrade();
    const manifestsDigest = world.movedDigest;
    for (const by of ['board-1', 'board-2']) {
      await stage.decide('production', { change, verdict: 'approve', by, manifestsDigest });
    }
    await delivery.result();
  },
  'delivery of which the configuration demands more meanwhile': async (stage, upgrade) => {
    const { world, change } = stage;
    world.environments = ['production'];
    const delivery = await stage.deliver(change);
    await stage.sees(change, decisions);
    await upgrade(async () => {
      const { production } = world.settings;
      if (production?.approval.by === 'decisions') production.approval.quorum = 3;
    });
    await approve(stage, 'board-1', 'board-2');
    await stage.sees(change, { waitingFor: '1 of 3 approvals' });
    await approve(stage, 'board-3');
    await delivery.result();
  },

  // Systems are waited for.

  'delivery whose pods fail': async ({ world, deliver, change }, upgrade) => {
    world.environments = ['dev'];
    const health = Promise.withResolvers<{ state: 'failed'; reason: string }>();
    const begun = Promise.withResolvers<void>();
    world.health = () => {
      begun.resolve();
      return health.promise;
    };
    const delivery = await deliver(change);
    await begun.promise;
    await upgrade();
    health.resolve({ state: 'failed', reason: 'CrashLoopBackOff' });
    await ends(delivery);
  },
  'delivery during an outage': async ({ world, deliver, change }, upgrade) => {
    world.environments = ['dev'];
    let tried = 0;
    world.tests = async () => {
      tried += 1;
      throw new Error('The registry is away.');
    };
    const delivery = await deliver(change);
    await until(() => tried).toBeGreaterThan(0);
    await upgrade();
    world.tests = () => Promise.resolve();
    await delivery.result();
  },
  'delivery whose environment cannot find out what runs': async (stage, upgrade) => {
    stage.world.environments = ['dev'];
    const first = stage.world.hold('dev recallEnvironment');
    const delivery = await stage.deliver(stage.change);
    await first.begun;
    stage.world.hold('dev recallEnvironment').goOn();
    first.fail(refused('The forge refuses the token.'));
    await until(
      async () => (await stage.environment('dev', stage.name).describe()).raw.pendingActivities,
    ).toEqual([]);
    await upgrade();
    await stage.passTime(stage.environment('dev', stage.name), hour / 6);
    await delivery.result();
  },

  // Other changes of the service.

  'delivery that is behind another': async (stage, upgrade) => {
    const second = { ...stage.change, commit: commitAt(2) };
    stage.world.environments = ['staging'];
    const before = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    const behind = await stage.deliver(second);
    await queued(stage);
    await upgrade();
    await stage.review('staging', stage.name, 'reject');
    await before.result();
    await stage.sees(second, { waitingFor: 'a review of pull request #2: https://forge/2' });
    await stage.review('staging', stage.name, 'approve');
    await behind.result();
  },
  'delivery behind another, which a third overtakes meanwhile': async (stage, upgrade) => {
    const [second, third] = [2, 3].map((position) => ({ ...stage.change, commit: commitAt(position) }));
    if (!second || !third) throw new Error('There are three.');
    stage.world.environments = ['staging'];
    const before = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    const behind = await stage.deliver(second);
    await queued(stage);
    let last = behind;
    await upgrade(async () => (last = await stage.deliver(third)));
    await behind.result();
    await stage.review('staging', stage.name, 'approve');
    await before.result();
    await stage.sees(third, { waitingFor: 'a review of pull request #2: https://forge/2' });
    await stage.review('staging', stage.name, 'approve');
    await last.result();
  },
  'delivery that waits for health, and gives way to a newer meanwhile': async (stage, upgrade) => {
    stage.world.environments = ['dev'];
    const { begun } = stage.world.hold('dev awaitHealthy');
    const broken = await stage.deliver(stage.change);
    await begun;
    await upgrade(async () => {
      stage.world.hold('dev awaitHealthy').goOn();
      await stage.deliver({ ...stage.change, commit: commitAt(2) });
    });
    await broken.result();
    await stage.sees({ ...stage.change, commit: commitAt(2) }, { state: 'succeeded' });
  },

  // Somebody lays hands on it.

  ...Object.fromEntries(
    [
      'dev writeRelease',
      'staging mergePullRequest',
      'production mergePullRequest',
      'production openPullRequest',
    ].map((point) => [`delivery that is cancelled during ${point}`, withdrawnDuring(point)]),
  ),
  'delivery that is cancelled meanwhile': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade(() => delivery.cancel());
    await ends(delivery);
  },
  'delivery that is terminated and started again meanwhile': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    let again = delivery;
    await upgrade(async () => {
      await delivery.terminate();
      again = await stage.deliver(stage.change);
    });
    await stage.sees(stage.change, { waitingFor: 'a review of pull request #2: https://forge/2' });
    await stage.review('staging', stage.name, 'approve');
    await again.result();
  },
  'delivery that is reset meanwhile': async (stage, upgrade) => {
    const { temporal, platform, change } = stage;
    stage.world.environments = ['dev', 'staging'];
    await stage.deliver(change);
    await stage.sees(change, review);
    const id = deliverId(platform, change);
    await upgrade(() => resetToBefore(temporal.client, id, 'buildImage'));
    await stage.review('staging', stage.name, 'approve');
    await temporal.client.workflow.getHandle(id).result();
  },
  'delivery whose environment is terminated meanwhile': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade(async () => stage.environment('staging', stage.name).terminate());
    await stage.passTime(delivery, 31 * hour);
    await until(async () => (await stage.view('staging', stage.name)).active?.view.state).toBe('waiting');
    await stage.review('staging', stage.name, 'approve');
    await delivery.result();
  },
  'delivery whose environment is asked to cancel meanwhile': async (stage, upgrade) => {
    stage.world.environments = ['staging'];
    const delivery = await stage.deliver(stage.change);
    await stage.sees(stage.change, review);
    await upgrade(() => stage.environment('staging', stage.name).cancel());
    await ends(delivery);
  },

  // What is no delivery.

  ...Object.fromEntries(
    recreationPoints.map((point) => [`recreation in ${point}`, recreationHeldDuring(point, false)]),
  ),
  'drill in restoreBackup': recreationHeldDuring('restoreBackup', true),
  'drill in finishRecreation': recreationHeldDuring('finishRecreation', true),
  'recreation that is cancelled meanwhile': async ({ world, start, platform, name }, upgrade) => {
    const { begun, goOn } = world.hold('deliver syncFrame');
    const input = { platform, cluster: name };
    const recreation = await start('recreateCluster', recreationId(platform, name), input);
    await begun;
    await upgrade(() => recreation.cancel());
    await ends(recreation);
    goOn();
  },
  ...Object.fromEntries(
    ['storeBackup', 'verifyBackup'].map((point): [string, State] => [
      `nightly backup in ${point}`,
      async ({ world, start, platform, name }, upgrade) => {
        const { begun, goOn } = world.hold(`deliver ${point}`);
        const input = { platform, cluster: name };
        const night = await start('nightlyBackup', nightlyBackupId(platform, name), input);
        await begun;
        await upgrade();
        goOn();
        await night.result();
        await ends(await start('backUpArgoCd', backupId(platform, name), input));
      },
    ]),
  ),
  [looking]: async ({ world, start, platform }, upgrade) => {
    world.look.now.tip = commitAt(1);
    const { begun, goOn } = world.hold('deliver rememberRepository');
    const poll = await start('pollRepository', pollId(platform), { platform });
    await begun;
    await upgrade(() => poll.signal(pollAgain));
    goOn();
    await poll.result();
  },
};

const queued = ({ view, name }: Stage) =>
  until(async () => (await view('staging', name)).waiting.length).toBe(1);

/** A name that a service and a cluster may have. */
const nameOf = (state: string): string => `s${Object.keys(states).indexOf(state)}`.padEnd(4, 'x');

/** Which state a workflow belongs to. */
function stateOf(workflowId: string, byName: ReadonlyMap<string, string>): string {
  const [, kind, second = '', third = ''] = workflowId.split('/');
  return byName.get(kind === 'environment' ? third : second) ?? looking;
}

const byName = new Map(Object.keys(states).map((state) => [nameOf(state), state]));

/** Each activity is done in the world of its own state. */
const doneIn =
  (worlds: ReadonlyMap<string, World>) =>
  (client: Client): AllActivities => {
    const activities = new Map([...worlds].map(([state, world]) => [state, world.activities(client)]));
    const dispatch = (name: keyof AllActivities) => (input: never) => {
      const state = stateOf(activityInfo().workflowExecution?.workflowId ?? '', byName);
      const work = activities.get(state)?.[name] as ((input: never) => Promise<unknown>) | undefined;
      if (!work) throw new Error(`Nobody does ${name} in ${state}.`);
      return work(input);
    };
    const names = Object.keys(contractQueues) as (keyof AllActivities)[];
    return Object.fromEntries(names.map((name) => [name, dispatch(name)])) as unknown as AllActivities;
  };

interface Ending {
  /** What became of the state's workflows and their world, but for names and times. */
  came: string;
  done: ReadonlySet<string>;
}

/** How workers are replaced. */
type Way = 'never' | 'after they ended' | 'one beside the other';

/** Lets every state come about under the previous workflows, and end under the present ones. */
async function endingsOf(way: Way, previous: WorkflowBundle): Promise<Map<string, Ending | Error>> {
  const platform = newPlatform();
  const worlds = new Map(
    Object.keys(states).map((state) => [state, new World(platform, ['dev', 'staging', 'production'])]),
  );
  const activities = doneIn(worlds);
  const endPrevious = await startWorkers(platform, activities, { code: previous, identity: 'previous' });
  let endPresent = () => Promise.resolve();
  const startPresent = async () =>
    (endPresent = await startWorkers(platform, activities, { identity: 'present' }));

  const [halfway, replaced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const all = [...worlds].map(([state, world]) => {
    const [reached, happened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const upgrade: Upgrade = async (meanwhile) => {
      reached.resolve();
      await halfway.promise;
      await meanwhile?.();
      happened.resolve();
      await replaced.promise;
    };
    const over = (states[state]?.(stageOf(platform, state, world), upgrade) ?? Promise.resolve()).then(
      () => undefined,
      (error: Error) => error,
    );
    return { state, world, reached: Promise.race([reached.promise, over]), happened, over };
  });
  try {
    await Promise.all(all.map(({ reached }) => reached));
    if (way === 'after they ended') await endPrevious();
    if (way === 'one beside the other') await startPresent();
    halfway.resolve();
    await Promise.all(all.map(({ happened, over }) => Promise.race([happened.promise, over])));
    if (way === 'after they ended') await startPresent();
    if (way === 'one beside the other') await endPrevious();
    replaced.resolve();

    const failures = await Promise.all(all.map(({ over }) => over));
    const statuses = await statusesOf(platform, rigOf(platform, new World(platform, [])));
    const runs = await closeAll(platform);
    await checkAll(runs);
    return new Map(
      all.map(({ state, world }, index) => {
        const failure = failures[index] ?? (way === 'never' ? undefined : notTakenOver(state, runs));
        return [state, failure ?? { came: cameOf(world, statuses.get(state)), done: world.done }];
      }),
    );
  } finally {
    await Promise.all([endPrevious(), endPresent()]);
  }
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

/** How workflows that are no environments stand, by state. */
async function statusesOf(platform: string, { temporal }: Pick<Rig, 'temporal'>) {
  const query = `${attributes.platform.name} = "${platform}" AND WorkflowType != "environment"`;
  const statuses = new Map<string, string[]>();
  for await (const { workflowId, status } of temporal.client.workflow.list({ query })) {
    const state = stateOf(workflowId, byName);
    statuses.set(state, [...(statuses.get(state) ?? []), `${workflowId} ${status.name}`].toSorted());
  }
  return statuses;
}

/** But for one that was over before, some run of it was begun by the previous release's code and gone on with by the present one. */
function notTakenOver(state: string, runs: readonly Run[]): Error | undefined {
  if (state === overBefore) return undefined;
  const over = runs
    .filter(({ workflowId }) => stateOf(workflowId, byName) === state)
    .map(({ history }) =>
      history.events?.map((event) => event.workflowTaskCompletedEventAttributes?.identity),
    )
    .some((by) => by?.includes('previous') && by.includes('present'));
  return over ? undefined : new Error('No workflow of it began under the previous release and went on.');
}

function cameOf(
  { effects, deliveries, memories, pullRequests }: World,
  workflows: readonly string[] = [],
): string {
  const came = { workflows, effects, deliveries, memories: [...memories], pullRequests: [...pullRequests] };
  return JSON.stringify(came, undefined, 2)
    .replaceAll(/\bp[0-9a-f]{8}\//g, '')
    .replaceAll(/\bs\d+x*\b/g, 'service')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then');
}

let folder: string;
const endings = new Map<Way, Map<string, Ending | Error>>();

beforeAll(async () => {
  folder = await previousRelease();
  const before = await previousBundle(folder);
  for (const way of ['never', 'after they ended', 'one beside the other'] as const) {
    endings.set(way, await endingsOf(way, before));
  }
}, 3 * patience.timeout);
afterAll(() => rm(folder, { recursive: true }));

function ending(way: Way, state: string): Ending {
  const found = endings.get(way)?.get(state);
  if (!found) throw new Error(`There is no ending of a ${state}.`);
  if (found instanceof Error) throw found;
  return found;
}

test.for(Object.keys(states))('a %s when workers are replaced ends as it would have', (state) => {
  const { came } = ending('never', state);
  expect(ending('after they ended', state).came).toBe(came);
  expect(ending('one beside the other', state).came).toBe(came);
});

test('workers are replaced in every activity of a delivery and of a recreation', () => {
  const { done } = ending('never', overBefore);
  expect([...done].toSorted()).toEqual(points.toSorted());
  const recreated = ending('never', 'recreation in checkRecreation').done;
  expect([...recreated].toSorted()).toEqual(recreationPoints.map((point) => `deliver ${point}`).toSorted());
});
