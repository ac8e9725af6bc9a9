import { expect } from 'vitest';
import { failed, refused } from '../../src/activities/failures.ts';
import type { Change } from '../../src/model/delivery/change.ts';
import { decideSignal, pollAgain, promote } from '../../src/model/temporal/messages.ts';
import type { RecoveryPoint } from '../../src/model/recovery/backup.ts';
import {
  backupId,
  drillId,
  nightlyBackupId,
  pollId,
  recreationId,
} from '../../src/model/temporal/workflow-ids.ts';
import { resetToBefore } from '../support/temporal.ts';
import type { Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

/** What happens to workflows, so that their histories hold all that a later release has to bear. */

const at = (position: number): Change => ({ service: 'claims', commit: World.commit(position) });
const change = at(1);
const review = { waitingFor: 'a review of pull request #1: https://forge/1' };
const decisions = { waitingFor: '2 of 2 approvals' };

const hour = 3_600_000;
const cluster = 'live';
const news = { environment: 'staging', service: 'claims', updatedAt: '2026-01-01T00:00:00Z' };
const approval = (by: string) => ({ change, verdict: 'approve' as const, by });

/** Only these environments are on the way. */
const alone = ({ world }: Rig, ...environments: string[]): void => void (world.environments = environments);

/** Nobody is asked. */
function unasked({ world }: Rig): void {
  for (const settings of Object.values(world.settings)) settings.approval = { by: 'none' };
}

const queued = (rig: Rig) =>
  expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);

interface Started {
  result(): Promise<unknown>;
}

const fails = async (started: Started | Promise<Started>): Promise<void> =>
  expect((await started).result()).rejects.toThrow();

const recreate = (rig: Rig, input: object = {}) =>
  rig.start('recreateCluster', recreationId(rig.platform, cluster), {
    platform: rig.platform,
    cluster,
    ...input,
  });
const drill = (rig: Rig, input: object = {}) =>
  rig.start('recreateCluster', drillId(rig.platform, cluster, '1'), {
    platform: rig.platform,
    cluster,
    drill: true,
    ...input,
  });

export const scenarios: Record<string, (rig: Rig) => Promise<unknown>> = {
  async delivered(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, decisions);
    await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
    await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });
    await delivery.result();
  },

  async moved(rig) {
    rig.world.movedDigest = 'sha256:moved';
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    for (const manifestsDigest of [rig.world.manifestsDigest, rig.world.movedDigest]) {
      await rig.sees(change, decisions);
      for (const by of ['board-1', 'board-2']) {
        await expect
          .poll(() => rig.decide('production', { change, verdict: 'approve', by, manifestsDigest }))
          .toMatchObject({ by });
      }
    }
    await delivery.result();
  },

  async 'review-rejected'(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'reject');
    await delivery.result();
  },

  async 'decision-rejected'(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, decisions);
    await rig.decide('production', { change, verdict: 'reject', by: 'board-1', reason: 'claims freeze' });
    await delivery.result();
  },

  async cancelled(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await delivery.cancel();
    await expect(delivery.result()).rejects.toThrow();
  },

  async superseded(rig) {
    const first = await rig.deliver(change);
    await rig.sees(change, review);
    const second = await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    await rig.deliver(at(3));
    await second.result();
    await rig.review('staging', 'claims', 'reject');
    await first.result();
    await rig.sees(at(3), { state: 'waiting' });
  },

  async unhealthy(rig) {
    rig.world.health = async () => ({ state: 'failed', reason: 'CrashLoopBackOff', health: 'Degraded' });
    await expect((await rig.deliver(change)).result()).rejects.toThrow();
  },

  async 'tests-failed'(rig) {
    rig.world.tests = () => Promise.reject(failed('TestsFailed', 'test_eligibility: expected 422'));
    await expect((await rig.deliver(change)).result()).rejects.toThrow();
  },

  async 'backed-up'(rig) {
    const { platform } = rig;
    const night = await rig.start<RecoveryPoint>('nightlyBackup', nightlyBackupId(platform, cluster), {
      platform,
      cluster,
    });
    const { key } = await night.result();
    const look = await rig.start('verifyBackup', `${platform}/verify-backup`, { platform, cluster, key });
    await look.result();
    const comparison = { platform, cluster, from: key, to: key };
    await (await rig.start('compareBackups', `${platform}/compare-backups`, comparison)).result();
    rig.world.verification = { state: 'suspect', reason: 'It holds no Application.' };
    await fails(rig.start('backUpArgoCd', backupId(platform, cluster), { platform, cluster }));
  },

  async recreated(rig) {
    await (await recreate(rig)).result();
    await (await drill(rig, { key: rig.world.plan.backup.key })).result();
    rig.world.report.passed = false;
    await fails(recreate(rig, { allowOlder: true }));
  },

  async pushed(rig) {
    const { platform, world } = rig;
    world.changes = [{ change, subject: 'a change' }];
    world.look = {
      before: { tip: World.commit(0), pullRequests: {} },
      now: { tip: World.commit(1), pullRequests: { 7: news } },
      deliverOnPush: true,
    };
    await (await rig.start('resolveChanges', `${platform}/resolve`, { since: World.commit(0) })).result();
    await (await rig.start('pollRepository', pollId(platform), { platform })).result();
    await rig.sees(change, review);
  },

  // What people do, and do not do.

  async 'review-timed-out'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.passTime(rig.environment('staging', 'claims'), 8 * 24 * hour);
    await fails(delivery);
  },

  async 'decisions-expired'(rig) {
    alone(rig, 'production');
    const delivery = await rig.deliver(change);
    await rig.sees(change, decisions);
    await rig.decide('production', approval('board-1'));
    await rig.passTime(rig.environment('production', 'claims'), 25 * hour);
    await fails(delivery);
  },

  async 'decided-by-signal'(rig) {
    alone(rig, 'production');
    rig.world.authors = ['board-3'];
    const delivery = await rig.deliver(change);
    await rig.sees(change, decisions);
    for (const by of ['board-3', 'board-1', 'board-1', 'board-2']) {
      await rig.environment('production', 'claims').signal(decideSignal, approval(by));
    }
    await delivery.result();
  },

  async 'more-demanded'(rig) {
    alone(rig, 'production');
    const delivery = await rig.deliver(change);
    await rig.sees(change, decisions);
    const { production } = rig.world.settings;
    if (production?.approval.by === 'decisions') production.approval.quorum = 3;
    for (const by of ['board-1', 'board-2']) await rig.decide('production', approval(by));
    await rig.sees(change, { waitingFor: '1 of 3 approvals' });
    await rig.decide('production', approval('board-3'));
    await delivery.result();
  },

  async 'merged-by-hand'(rig) {
    alone(rig, 'production');
    const delivery = await rig.deliver(change);
    await rig.sees(change, decisions);
    await rig.touch('production', 'claims', { state: 'merged' });
    for (const by of ['board-1', 'board-2']) await rig.decide('production', approval(by));
    await delivery.result();
  },

  async 'merged-unreviewed'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.touch('staging', 'claims', { state: 'merged' });
    await fails(delivery);
  },

  async 'closed-by-hand'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.touch('staging', 'claims', { state: 'closed' });
    await delivery.result();
  },

  async 'edited-by-hand'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.touch('staging', 'claims', { edited: 'its head is another commit' });
    await fails(delivery);
  },

  // Withdrawals, wherever a promotion is.

  ...Object.fromEntries(
    [
      'dev previewRelease',
      'dev writeRelease',
      'dev awaitHealthy',
      'staging openPullRequest',
      'staging mergePullRequest',
      'staging runEndToEnd',
      'production mergePullRequest',
      'production startSync',
      'production awaitHealthy',
    ].map((point) => [
      `withdrawn-during-${point.replace(' ', '-')}`,
      async (rig: Rig) => {
        const [environment = ''] = point.split(' ');
        alone(rig, environment);
        unasked(rig);
        const { begun, goOn } = rig.world.hold(point);
        const delivery = await rig.deliver(change);
        await begun;
        await delivery.cancel();
        await expect.poll(() => rig.world.done).toContain(`${environment} withdrawAsk`);
        goOn();
        await fails(delivery);
      },
    ]),
  ),

  async 'withdrawn-during-decisions'(rig) {
    alone(rig, 'production');
    const delivery = await rig.deliver(change);
    await rig.sees(change, decisions);
    await rig.decide('production', approval('board-1'));
    await delivery.cancel();
    await fails(delivery);
  },

  async 'withdrawn-from-the-queue'(rig) {
    alone(rig, 'staging');
    const first = await rig.deliver(change);
    await rig.sees(change, review);
    const second = await rig.deliver(at(2));
    await queued(rig);
    await second.cancel();
    await fails(second);
    await rig.review('staging', 'claims', 'approve');
    await first.result();
  },

  async 'cancelled-during-tests'(rig) {
    const { begun, goOn } = rig.world.hold('deliver testService');
    const delivery = await rig.deliver(change);
    await begun;
    await delivery.cancel();
    await fails(delivery);
    goOn();
  },

  // Other changes.

  async 'gave-way'(rig) {
    alone(rig, 'dev');
    const { begun } = rig.world.hold('dev awaitHealthy');
    const broken = await rig.deliver(change);
    await begun;
    const fix = await rig.deliver(at(2));
    await broken.result();
    await fix.terminate();
  },

  async overtaken(rig) {
    alone(rig, 'dev');
    rig.world.health = async () => ({ state: 'overtaken', reason: 'Another release is here.' });
    await (await rig.deliver(change)).result();
  },

  async older(rig) {
    alone(rig, 'dev');
    await (await rig.deliver(at(8))).result();
    await (await rig.deliver(at(7))).result();
    rig.world.rewritten.add(at(8).commit);
    await (await rig.deliver(at(6))).result();
  },

  // Deliveries that somebody laid hands on.

  async reset(rig) {
    alone(rig, 'dev', 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await resetToBefore(rig.temporal.client, delivery.workflowId, 'buildImage');
    await rig.sees(change, { environments: { dev: { state: 'succeeded' } } as never });
    await rig.review('staging', 'claims', 'approve');
    await rig.temporal.client.workflow.getHandle(delivery.workflowId).result();
  },

  async 'terminated-and-started-again'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await delivery.terminate();
    const again = await rig.deliver(change);
    await rig.sees(change, { waitingFor: 'a review of pull request #2: https://forge/2' });
    await rig.review('staging', 'claims', 'approve');
    await again.result();
  },

  async 'adopted-image'(rig) {
    alone(rig, 'dev');
    await (await rig.deliver(change, `registry/claims@sha256:${'0'.repeat(64)}`)).result();
  },

  async refused(rig) {
    await fails(rig.deliver({ ...change, service: 'unknown' }));
    await fails(rig.start('deliverService', `${rig.platform}/mine`, { platform: rig.platform, change }));
  },

  // Environments that somebody laid hands on.

  async 'environment-terminated'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.environment('staging', 'claims').terminate();
    await rig.passTime(delivery, 31 * hour);
    await expect.poll(async () => (await rig.view('staging', 'claims')).active).toMatchObject({ change });
    await rig.review('staging', 'claims', 'approve');
    await delivery.result();
  },

  async 'environment-cancelled'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.environment('staging', 'claims').cancel();
    await fails(delivery);
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
  },

  async 'nothing-recalled'(rig) {
    alone(rig, 'dev');
    const first = rig.world.hold('dev recallEnvironment');
    const delivery = await rig.deliver(change);
    await first.begun;
    const second = rig.world.hold('dev recallEnvironment');
    second.goOn();
    first.fail(refused('The forge refuses the token.'));
    await rig.passTime(rig.environment('dev', 'claims'), hour / 6);
    await delivery.result();
  },

  async 'environment-unknown'(rig) {
    alone(rig, 'dev');
    const delivery = await rig.deliver(change);
    await delivery.result();
    rig.world.environments = [];
    await rig.environment('dev', 'claims').terminate();
    rig.world.environments = ['dev'];
    const { begun, goOn } = rig.world.hold('dev recallEnvironment');
    const again = await rig.deliver(at(2));
    await begun;
    rig.world.environments = [];
    goOn();
    await fails(again);
  },

  async 'strange-signals'(rig) {
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    const staging = rig.environment('staging', 'claims');
    await staging.signal(promote, { id: 'an ask' } as never);
    await staging.signal('withdraw', 'everything');
    await staging.signal('pullRequestChanged', { number: 'one' });
    await delivery.signal('answered', { environment: 'staging' });
    await delivery.signal('progressed', null);
    await rig.review('staging', 'claims', 'approve');
    await delivery.result();
  },

  // Activities that fail.

  async 'end-to-end-failed'(rig) {
    alone(rig, 'staging');
    unasked(rig);
    const { begun, fail } = rig.world.hold('staging runEndToEnd');
    const delivery = await rig.deliver(change);
    await begun;
    fail(failed('EndToEndFailed', '1 of 12 claims were not scrubbed'));
    await fails(delivery);
  },

  async 'not-synced'(rig) {
    alone(rig, 'production');
    unasked(rig);
    const { begun, fail } = rig.world.hold('production startSync');
    const delivery = await rig.deliver(change);
    await begun;
    fail(refused('The digest is of no recorded build.'));
    await fails(delivery);
  },

  async 'not-stored'(rig) {
    alone(rig, 'dev');
    const { begun, fail } = rig.world.hold('dev rememberEnvironment');
    const delivery = await rig.deliver(change);
    await begun;
    fail(refused('The object store refuses the key.'));
    await delivery.result();
  },

  async 'tried-again'(rig) {
    alone(rig, 'dev');
    const outage = rig.world.hold('dev writeRelease');
    const delivery = await rig.deliver(change);
    await outage.begun;
    rig.world.hold('dev writeRelease').goOn();
    outage.fail(new Error('The forge is away.'));
    await delivery.result();
  },

  async 'timed-out'(rig) {
    // Says nothing, as if its worker had died.
    const silence = Promise.withResolvers<void>();
    rig.world.resolving = () => silence.promise;
    await fails(rig.start('resolveChanges', `${rig.platform}/resolve`, { since: World.commit(0) }));
    silence.resolve();
  },

  // What Schedules and people start beside deliveries.

  async 'poll-told'(rig) {
    const { platform, world } = rig;
    alone(rig, 'staging');
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    world.pullRequests.get(1)?.approvedBy.push('reviewer');
    world.look = {
      before: { tip: World.commit(0), pullRequests: {} },
      now: { tip: World.commit(1), pullRequests: { 1: news } },
      deliverOnPush: true,
    };
    world.resolving = () => Promise.reject(refused('The branch was rewritten.'));
    const { begun, goOn } = world.hold('deliver rememberRepository');
    const poll = await rig.start('pollRepository', pollId(platform), { platform });
    await begun;
    await poll.signal(pollAgain);
    goOn();
    await poll.result();
    await delivery.result();
  },

  async 'backed-up-by-hand'(rig) {
    const { platform } = rig;
    const { begun, goOn } = rig.world.hold('deliver storeBackup');
    const input = { platform, cluster };
    const byHand = await rig.start('backUpArgoCd', backupId(platform, cluster), input);
    await begun;
    const night = await rig.start('nightlyBackup', nightlyBackupId(platform, cluster), input);
    await night.result();
    goOn();
    await byHand.result();
  },

  async 'recreation-cancelled'(rig) {
    for (const begin of [recreate, drill]) {
      const { begun, goOn } = rig.world.hold('deliver restoreBackup');
      const recreation = await begin(rig);
      await begun;
      await recreation.cancel();
      await fails(recreation);
      goOn();
    }
  },

  async 'recreation-failed'(rig) {
    for (const [point, begin] of [
      ['deliver checkRecreation', recreate],
      ['deliver syncFrame', recreate],
      ['deliver installArgoCd', drill],
    ] as const) {
      const { begun, fail } = rig.world.hold(point);
      const recreation = await begin(rig);
      await begun;
      fail(refused('Another cluster answers.'));
      await fails(recreation);
    }
  },

  async replaced(rig) {
    const { staging } = rig.world.settings;
    if (staging) staging.whileAsked = 'replace';
    alone(rig, 'staging');
    const older = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.deliver(at(2));
    await older.result();
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(2), { state: 'succeeded' });
  },

  async overlay(rig) {
    rig.world.overlays.set(at(2).commit, { environments: ['dev', 'production'], onto: change });
    const delivery = await rig.deliver(at(2));
    await rig.sees(at(2), decisions);
    await rig.decide('production', { change: at(2), verdict: 'approve', by: 'board-1' });
    await rig.decide('production', { change: at(2), verdict: 'approve', by: 'board-2' });
    await delivery.result();
  },

  async removed(rig) {
    rig.world.removals.add(change.commit);
    const removal = await rig.deliver(change);
    await rig.sees(change, decisions);
    await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
    await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });
    await removal.result();
  },

  async observed(rig) {
    const observation = { platform: rig.platform, places: [{ environment: 'dev', service: 'claims' }] };
    const look = (id: string) =>
      rig.start('observeEnvironments', `${rig.platform}/observe/${id}`, observation);
    await (await look('1')).result();
    rig.world.live = () => {
      throw new Error('The cluster cannot be reached.');
    };
    await fails(look('2'));
  },
};
