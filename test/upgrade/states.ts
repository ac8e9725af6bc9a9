import { expect, vi } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { createClient } from '../../src/client.ts';
import { changeName } from '../../src/model/delivery/change.ts';
import { decideSignal, pollAgain } from '../../src/model/temporal/messages.ts';
import {
  backupId,
  deliverId,
  drillId,
  nightlyBackupId,
  pollId,
  recreationId,
} from '../../src/model/temporal/workflow-ids.ts';
import { resetToBefore } from '../support/temporal.ts';
import type { Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

/** What a state's workflows have: their names, people, and a world of their own. */
export type Stage = Omit<Rig, 'endWorkers' | 'startWorkers' | 'close'> & {
  name: string;
  change: { service: string; commit: string };
};

/** Workers are replaced. @param meanwhile what happens while none is there, or both are */
export type Upgrade = (meanwhile?: () => Promise<unknown>) => Promise<void>;

/** Brings workflows into a state, has workers replaced, and brings them to their end. @returns what they tell */
export type State = (stage: Stage, upgrade: Upgrade) => Promise<unknown>;

const hour = 3_600_000;

/** Others get on at the same time, and workers may have to be noticed as gone. */
export const patience = { timeout: 60_000, interval: 250 };

const until = <T>(read: () => T | Promise<T>, expected: (value: T) => void): Promise<void> =>
  vi.waitFor(async () => expected(await read()), patience);

const review = { waitingFor: 'a review of pull request #1: https://forge/1' };
const secondReview = { waitingFor: 'a review of pull request #2: https://forge/2' };
const decisions = { waitingFor: '2 of 2 approvals' };
export const commitAt = World.commit;

function unasked({ world }: Stage): void {
  for (const settings of Object.values(world.settings)) settings.approval = { by: 'none' };
}

/** Whoever approves may have the present release before the workers have it. */
async function approve({ temporal, platform, change }: Stage, ...people: string[]): Promise<void> {
  const { decide } = createClient(temporal.client, platform);
  for (const by of people) {
    await decide({ change: changeName(change), environment: 'production', verdict: 'approve', by });
  }
}

async function reviewed(stage: Stage): Promise<void> {
  await stage.sees(stage.change, review);
  await stage.review('staging', stage.name, 'approve');
}

async function decided(stage: Stage): Promise<void> {
  await stage.sees(stage.change, decisions);
  await approve(stage, 'board-1', 'board-2');
}

/** A delivery that waits until somebody reviews it. */
async function inReview(stage: Stage) {
  stage.world.environments = ['staging'];
  const delivery = await stage.deliver(stage.change);
  await stage.sees(stage.change, review);
  return delivery;
}

/** A delivery that waits until people decide on it. */
async function inDecision(stage: Stage) {
  stage.world.environments = ['production'];
  const delivery = await stage.deliver(stage.change);
  await stage.sees(stage.change, decisions);
  return delivery;
}

const queued = ({ view, name }: Stage) =>
  until(
    async () => (await view('staging', name)).waiting.length,
    (waiting) => expect(waiting).toBe(1),
  );

const ends = async (handle: { result(): Promise<unknown> }): Promise<unknown> =>
  handle.result().catch((error: unknown) => error);

/** Begins something, and has workers replaced while this activity of it stands still. */
async function during<T>(
  { world }: Stage,
  point: string,
  begin: () => Promise<T>,
  upgrade: Upgrade,
): Promise<T> {
  const { begun, goOn } = world.hold(point);
  const under = await begin();
  await begun;
  await upgrade();
  goOn();
  return under;
}

/** All that a delivery asks of the world where people are asked for everything. */
export const points = [
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

/** Those of them that there are only where somebody decided something. */
const afterPeople = new Set([
  'staging readPullRequest',
  'production readSettings',
  'production renderRelease',
]);

export const recreationPoints = [
  'checkRecreation',
  'installArgoCd',
  'restoreBackup',
  'startArgoCd',
  'syncFrame',
  'syncWave',
  'restoreAutomation',
  'reportRecreation',
  'finishRecreation',
].map((activity) => `deliver ${activity}`);

const deliveryIn =
  (point: string): State =>
  async (stage, upgrade) => {
    const [of = ''] = point.split(' ');
    stage.world.environments = [of === 'deliver' ? 'dev' : of];
    if (!afterPeople.has(point)) unasked(stage);
    const deliver = async () => {
      const delivery = await stage.deliver(stage.change);
      if (point === 'staging readPullRequest') await reviewed(stage);
      else if (afterPeople.has(point)) await decided(stage);
      return delivery;
    };
    await (await during(stage, point, deliver, upgrade)).result();
  };

const withdrawnIn =
  (point: string): State =>
  async (stage, upgrade) => {
    const { world, change } = stage;
    world.environments = point.split(' ').slice(0, 1);
    unasked(stage);
    const { begun, goOn } = world.hold(point);
    const delivery = await stage.deliver(change);
    await begun;
    await delivery.cancel();
    await until(
      () => world.done,
      (done) => expect(done).toContain(`${point.split(' ')[0]} withdrawAsk`),
    );
    await upgrade();
    goOn();
    await ends(delivery);
  };

const recreate = ({ start, platform, name }: Stage, drill = false) =>
  start('recreateCluster', drill ? drillId(platform, name, '1') : recreationId(platform, name), {
    platform,
    cluster: name,
    ...(drill && { drill }),
  });

const recreationIn =
  (point: string, drill = false): State =>
  async (stage, upgrade) =>
    (await during(stage, point, () => recreate(stage, drill), upgrade)).result();

const nightlyBackupIn =
  (point: string): State =>
  async (stage, upgrade) => {
    const { start, platform, name } = stage;
    const input = { platform, cluster: name };
    const begin = () => start('nightlyBackup', nightlyBackupId(platform, name), input);
    const night = await (await during(stage, point, begin, upgrade)).result();
    return [night, await (await start('backUpArgoCd', backupId(platform, name), input)).result()];
  };

/** Something that does nothing but one activity. */
const questionIn =
  (workflow: string, activity: string, inputOf: (stage: Stage) => object): State =>
  async (stage, upgrade) => {
    const { start, platform, name } = stage;
    const begin = () => start(workflow, `${platform}/${workflow}/${name}`, inputOf(stage));
    return (await during(stage, `deliver ${activity}`, begin, upgrade)).result();
  };

/** Under the ID that a Schedule would make. */
const poll = ({ start, platform, name }: Stage) =>
  start('pollRepository', `${pollId(platform)}-${name}`, { platform });

/** A push since the last look, of which a look makes a delivery. */
const pushedPollIn =
  (point: string): State =>
  async (stage, upgrade) => {
    const { world, change } = stage;
    world.environments = ['dev'];
    world.changes = [{ change, subject: 'a change' }];
    world.look.before = world.look.now;
    world.look.now = { ...world.look.now, tip: commitAt(1) };
    await (await during(stage, point, () => poll(stage), upgrade)).result();
    await stage.sees(change, { state: 'succeeded' });
  };

export const overBefore = 'delivery that nothing holds up';

export const states: Record<string, State> = {
  [overBefore]: async (stage, upgrade) => {
    const delivery = await stage.deliver(stage.change);
    await reviewed(stage);
    await decided(stage);
    await delivery.result();
    await upgrade();
  },
  ...Object.fromEntries(points.map((point) => [`delivery in ${point}`, deliveryIn(point)])),
  'delivery of a given image in adoptImage': async (stage, upgrade) => {
    stage.world.environments = ['dev'];
    const given = `registry/${stage.name}@sha256:${'0'.repeat(64)}`;
    const deliver = () => stage.deliver(stage.change, given);
    await (await during(stage, 'deliver adoptImage', deliver, upgrade)).result();
  },

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
    const delivery = await inReview(stage);
    await upgrade();
    await stage.review('staging', stage.name, 'reject');
    await delivery.result();
  },
  'delivery whose review is refused, in closePullRequest': async (stage, upgrade) => {
    const refuse = async () => {
      const delivery = await inReview(stage);
      await stage.review('staging', stage.name, 'reject');
      return delivery;
    };
    await (await during(stage, 'staging closePullRequest', refuse, upgrade)).result();
  },
  'delivery that nobody reviews': async (stage, upgrade) => {
    const delivery = await inReview(stage);
    await upgrade();
    await stage.passTime(stage.environment('staging', stage.name), 8 * 24 * hour);
    await ends(delivery);
  },
  'delivery that waits for two decisions': async (stage, upgrade) => {
    const delivery = await inDecision(stage);
    await upgrade();
    await approve(stage, 'board-1', 'board-2');
    await delivery.result();
  },
  'delivery that waits for the second decision': async (stage, upgrade) => {
    const delivery = await inDecision(stage);
    await approve(stage, 'board-1');
    await upgrade();
    // Who decided before is still known.
    const again = { change: stage.change, verdict: 'approve' as const, by: 'board-1' };
    await expect(stage.decide('production', again)).rejects.toMatchObject({ cause: { type: 'Refused' } });
    await approve(stage, 'board-2');
    await delivery.result();
  },
  'delivery whose decisions are signalled meanwhile': async (stage, upgrade) => {
    const { change, name } = stage;
    const delivery = await inDecision(stage);
    await upgrade(async () => {
      for (const by of ['board-1', 'board-2']) {
        const decision = { change, verdict: 'approve' as const, by };
        await stage.environment('production', name).signal(decideSignal, decision);
      }
    });
    await delivery.result();
  },
  'delivery that is rejected': async (stage, upgrade) => {
    const delivery = await inDecision(stage);
    await approve(stage, 'board-1');
    await upgrade();
    await stage.decide('production', { change: stage.change, verdict: 'reject', by: 'board-2' });
    await delivery.result();
  },
  'delivery that nobody decides on': async (stage, upgrade) => {
    const delivery = await inDecision(stage);
    await approve(stage, 'board-1');
    await upgrade();
    await stage.passTime(stage.environment('production', stage.name), 25 * hour);
    await ends(delivery);
  },
  'delivery that is merged and waits for decisions once more': async (stage, upgrade) => {
    const { world, change } = stage;
    world.movedDigest = 'sha256:moved';
    const delivery = await inDecision(stage);
    await approve(stage, 'board-1', 'board-2');
    await until(
      () => world.done,
      (done) => expect(done).toContain('production renderRelease'),
    );
    await stage.sees(change, decisions);
    await upgrade();
    await approve(stage, 'board-1', 'board-2');
    await delivery.result();
  },
  'delivery of which the configuration demands more meanwhile': async (stage, upgrade) => {
    const { world, change } = stage;
    const delivery = await inDecision(stage);
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
  'delivery during an outage': async ({ world, deliver, change, passTime }, upgrade) => {
    world.environments = ['dev'];
    let tried = 0;
    world.tests = async () => {
      tried += 1;
      throw new Error('The registry is away.');
    };
    const delivery = await deliver(change);
    await until(
      () => tried,
      (times) => expect(times).toBeGreaterThan(0),
    );
    await upgrade();
    world.tests = () => Promise.resolve();
    // Over the pause before the next attempt.
    await passTime(delivery, hour / 60);
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
      (pending) => expect(pending).toEqual([]),
    );
    await upgrade();
    await stage.passTime(stage.environment('dev', stage.name), hour / 6);
    await delivery.result();
  },

  // Other changes of the service.

  'delivery that is behind another': async (stage, upgrade) => {
    const second = { ...stage.change, commit: commitAt(2) };
    const before = await inReview(stage);
    const behind = await stage.deliver(second);
    await queued(stage);
    await upgrade();
    await stage.review('staging', stage.name, 'reject');
    await before.result();
    await stage.sees(second, secondReview);
    await stage.review('staging', stage.name, 'approve');
    await behind.result();
  },
  'delivery behind another, which a third overtakes meanwhile': async (stage, upgrade) => {
    const [second, third] = [2, 3].map((position) => ({ ...stage.change, commit: commitAt(position) }));
    if (!second || !third) throw new Error('There are three.');
    const before = await inReview(stage);
    const behind = await stage.deliver(second);
    await queued(stage);
    let last = behind;
    await upgrade(async () => (last = await stage.deliver(third)));
    await behind.result();
    await stage.review('staging', stage.name, 'approve');
    await before.result();
    await stage.sees(third, secondReview);
    await stage.review('staging', stage.name, 'approve');
    await last.result();
  },
  'delivery that waits for health, and gives way to a newer meanwhile': async (stage, upgrade) => {
    const { world, change } = stage;
    const second = { ...change, commit: commitAt(2) };
    world.environments = ['dev'];
    const healthy = world.health;
    const begun = Promise.withResolvers<void>();
    world.health = (place) => {
      if (place.release.change.commit !== change.commit) return healthy(place);
      begun.resolve();
      return new Promise(() => undefined);
    };
    const broken = await stage.deliver(change);
    await begun.promise;
    await upgrade(() => stage.deliver(second));
    await broken.result();
    await stage.sees(second, { state: 'succeeded' });
  },
  'delivery of an older change in findPosition': async (stage, upgrade) => {
    stage.world.environments = ['dev'];
    await (await stage.deliver({ ...stage.change, commit: commitAt(2) })).result();
    const deliver = () => stage.deliver(stage.change);
    await (await during(stage, 'deliver findPosition', deliver, upgrade)).result();
  },

  // Somebody lays hands on it.

  ...Object.fromEntries(
    [
      'dev writeRelease',
      'staging mergePullRequest',
      'production mergePullRequest',
      'production openPullRequest',
    ].map((point) => [`delivery that is cancelled during ${point}`, withdrawnIn(point)]),
  ),
  'delivery that is cancelled, in withdrawAsk': async (stage, upgrade) => {
    const cancel = async () => {
      const delivery = await inReview(stage);
      await delivery.cancel();
      return delivery;
    };
    await ends(await during(stage, 'staging withdrawAsk', cancel, upgrade));
  },
  'delivery that is cancelled meanwhile': async (stage, upgrade) => {
    const delivery = await inReview(stage);
    await upgrade(() => delivery.cancel());
    await ends(delivery);
  },
  'delivery that is terminated and started again meanwhile': async (stage, upgrade) => {
    const delivery = await inReview(stage);
    let again = delivery;
    await upgrade(async () => {
      await delivery.terminate();
      again = await stage.deliver(stage.change);
    });
    await stage.sees(stage.change, secondReview);
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
    const delivery = await inReview(stage);
    await upgrade(async () => stage.environment('staging', stage.name).terminate());
    await stage.passTime(delivery, 31 * hour);
    await until(
      async () => (await stage.view('staging', stage.name)).active?.view.state,
      (state) => expect(state).toBe('waiting'),
    );
    await stage.review('staging', stage.name, 'approve');
    await delivery.result();
  },
  'delivery whose environment is asked to cancel meanwhile': async (stage, upgrade) => {
    const delivery = await inReview(stage);
    await upgrade(() => stage.environment('staging', stage.name).cancel());
    await ends(delivery);
  },

  // A cluster is rebuilt.

  ...Object.fromEntries(recreationPoints.map((point) => [`recreation in ${point}`, recreationIn(point)])),
  'recreation that gives the roots their automation back': async (stage, upgrade) => {
    const others = stage.world.hold('deliver restoreAutomation');
    const recreation = await recreate(stage);
    await others.begun;
    const roots = stage.world.hold('deliver restoreAutomation');
    others.goOn();
    await roots.begun;
    await upgrade();
    roots.goOn();
    return recreation.result();
  },
  'recreation that is cancelled meanwhile': async (stage, upgrade) => {
    const { begun, goOn } = stage.world.hold('deliver syncFrame');
    const recreation = await recreate(stage);
    await begun;
    await upgrade(() => recreation.cancel());
    await ends(recreation);
    goOn();
  },
  'drill in restoreBackup': recreationIn('deliver restoreBackup', true),
  'drill in finishRecreation': recreationIn('deliver finishRecreation', true),

  // Argo CD is backed up.

  'nightly backup in storeBackup': nightlyBackupIn('deliver storeBackup'),
  'nightly backup in verifyBackup': nightlyBackupIn('deliver verifyBackup'),
  'verification of a backup': questionIn(
    'verifyBackup',
    'verifyBackup',
    ({ platform, name, world: { plan } }) => ({ platform, cluster: name, key: plan.backup.key }),
  ),
  'comparison of backups': questionIn(
    'compareBackups',
    'compareBackups',
    ({ platform, name, world: { plan } }) => ({
      ...{ platform, cluster: name },
      ...{ from: plan.backup.key, to: plan.backup.key },
    }),
  ),

  // The repository is looked at.

  'question what commits touched': questionIn('resolveChanges', 'resolveChanges', ({ world, change }) => {
    world.changes = [{ change, subject: 'a change' }];
    return { since: commitAt(0) };
  }),
  'poll that finds a push, in lookAtRepository': pushedPollIn('deliver lookAtRepository'),
  'poll that finds a push, in resolveChanges': pushedPollIn('deliver resolveChanges'),
  'poll that finds a push, in rememberRepository': pushedPollIn('deliver rememberRepository'),
  'poll that is asked to look again meanwhile': async (stage, upgrade) => {
    stage.world.look.now.tip = commitAt(1);
    const { begun, goOn } = stage.world.hold('deliver rememberRepository');
    const look = await poll(stage);
    await begun;
    await upgrade(() => look.signal(pollAgain));
    goOn();
    await look.result();
  },
  'poll that finds a review': async (stage, upgrade) => {
    const { world, name } = stage;
    const delivery = await inReview(stage);
    const seen = (updatedAt: string) => ({ 1: { environment: 'staging', service: name, updatedAt } });
    world.look.before = { ...world.look.now, pullRequests: seen('2026-01-01T00:00:00Z') };
    world.look.now = { ...world.look.now, pullRequests: seen('2026-01-02T00:00:00Z') };
    world.pullRequests.get(1)?.approvedBy.push('reviewer');
    await (await during(stage, 'deliver lookAtRepository', () => poll(stage), upgrade)).result();
    await delivery.result();
  },
};
