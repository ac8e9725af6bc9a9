import { expect } from 'vitest';
import { CancelledFailure, defaultPayloadConverter } from '@temporalio/common';
import { createClient } from '../../src/client.ts';
import type { AskActivities, Health } from '../../src/activities/contract.ts';
import { later } from '../../src/activities/failures.ts';
import { promote } from '../../src/model/temporal/messages.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

type AskInput = Parameters<AskActivities['askEnvironment']>[0];

const hour = 3_600_000;

const at = (position: number) => ({ service: 'claims', commit: World.commit(position) });

test.describe('newer and older changes', () => {
  test('an older change over a newer one is superseded', async ({ rig }) => {
    await rig.deliver(at(8));
    await rig.sees(at(8), { state: 'waiting' });
    const { state, reason } = await (await rig.deliver(at(7))).result();
    expect({ state, reason }).toEqual({
      state: 'superseded',
      reason: `claims/${World.commit(8)} is newer and is here already.`,
    });
  });

  test('the newest waiting change supersedes the other waiting ones, not the one people were asked about', async ({
    rig,
  }) => {
    await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    const second = await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    await rig.deliver(at(3));
    expect((await second.result()).state).toBe('superseded');
    expect((await rig.status(at(1))).state).toBe('waiting');

    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(3), { waitingFor: 'a review of pull request #2: https://forge/2' });
  });

  test('a change waits behind one that people are asked about, who see it', async ({ rig }) => {
    await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    await rig.deliver(at(2));
    const { status } = createClient(rig.temporal.client, rig.platform);
    const older = `claims/${at(1).commit}`;
    const newer = `claims/${at(2).commit}`;
    await expect
      .poll(async () => (await status(newer)).waitingFor)
      .toBe(`${older}, which is under way in staging`);
    expect((await status(older)).environments['staging']).toMatchObject({ state: 'waiting', behind: newer });
  });

  test('a newer change takes the place of one that is reviewed, where the environment wants that', async ({
    rig,
  }) => {
    const { staging } = rig.world.settings;
    if (staging) Object.assign(staging, { whileAsked: 'replace', reviewWithinMs: 48 * hour });
    const older = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await rig.passTime(rig.environment('staging', 'claims'), 47 * hour);
    await rig.deliver(at(2));
    const reason = `claims/${at(2).commit} is newer and goes instead.`;
    expect(await older.result()).toMatchObject({ state: 'superseded', reason });
    expect(rig.world.pullRequests.get(1)?.state).toBe('closed');

    // It has all of the time to be reviewed in.
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
    await rig.passTime(rig.environment('staging', 'claims'), 47 * hour);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(2), { waitingFor: '2 of 2 approvals' });
  });

  test('one that was reviewed is not replaced, though nobody has heard of the review yet', async ({
    rig,
  }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.whileAsked = 'replace';
    await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
    rig.world.pullRequests.get(1)?.approvedBy.push('reviewer');
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
    expect(rig.world.effects).toContain(`merge staging claims/${at(1).commit}`);
  });

  test('an older change takes the place of nothing', async ({ rig }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.whileAsked = 'replace';
    rig.world.environments = ['staging'];
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #1: https://forge/1' });
    await rig.deliver(at(1));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(2), { state: 'succeeded' });
    await rig.sees(at(1), { state: 'superseded' });
  });

  test('decisions that people were asked for are never taken back', async ({ rig }) => {
    const { production } = rig.world.settings;
    if (production) production.whileAsked = 'replace';
    rig.world.environments = ['production'];
    await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('production', 'claims')).waiting.length).toBe(1);
    for (const by of ['board-1', 'board-2']) {
      await rig.decide('production', { change: at(1), verdict: 'approve', by });
    }
    await expect.poll(() => rig.world.effects).toContain('sync production merge-1');
    await rig.sees(at(2), { waitingFor: '2 of 2 approvals' });
  });

  test('a change waits for the end-to-end test of the one before', async ({ rig }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    const { begun, goOn } = rig.world.hold('staging runEndToEnd');
    await rig.deliver(at(1));
    await begun;
    await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    goOn();
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await expect.poll(() => rig.world.effects).toContain(`merge staging claims/${at(2).commit}`);
  });

  test('a change that only waits for health gives way to a newer, so that a fix is not held up', async ({
    rig,
  }) => {
    let healthy: ((health: Health) => void) | undefined;
    rig.world.health = ({ release }) =>
      release.change.commit === at(1).commit
        ? new Promise((resolve) => (healthy = resolve))
        : Promise.resolve({ state: 'healthy', revision: 'r', health: 'Healthy', sync: 'Synced' });
    const broken = await rig.deliver(at(1));
    await expect.poll(() => healthy).toBeDefined();
    await rig.deliver(at(2));
    expect(await broken.result()).toMatchObject({ state: 'superseded' });
    await rig.sees(at(2), { state: 'waiting' });
  });

  test('twenty changes at once end with the newest and no other left', async ({ rig }) => {
    const changes = Array.from({ length: 20 }, (_, index) => at(index + 1));
    const started = await Promise.all(
      changes.toSorted(() => Math.random() - 0.5).map((change) => rig.deliver(change)),
    );
    await rig.sees(at(20), { state: 'waiting' });
    const current = async () => (await rig.view('dev', 'claims')).current?.change;
    await expect.poll(current).toEqual(at(20));
    const others = started.filter(({ workflowId }) => !workflowId.endsWith(World.commit(20)));
    for (const other of others) {
      const change = { service: 'claims', commit: other.workflowId.split('/').at(-1) ?? '' };
      const stateOf = async () => (await rig.status(change)).state;
      await expect.poll(stateOf, { timeout: 20_000 }).toMatch(/^(superseded|waiting)$/);
    }
    expect(await current()).toEqual(at(20));
  });

  test('what somebody took off the branch is not newer than what came instead', async ({ rig }) => {
    await rig.deliver(at(8));
    await rig.sees(at(8), { state: 'waiting' });
    rig.world.rewritten.add(at(8).commit);
    await rig.deliver(at(7));
    await expect.poll(async () => (await rig.view('dev', 'claims')).current?.change).toEqual(at(7));
  });

  test('the same change asked for twice is one delivery', async ({ rig }) => {
    const [first, second] = await Promise.all([rig.deliver(at(1)), rig.deliver(at(1))]);
    const runs = await Promise.all([first, second].map((handle) => handle.describe()));
    expect(runs[0]?.runId).toBe(runs[1]?.runId);
  });
});

test('a change that succeeded and is delivered again changes nothing, and asks again before production', async ({
  rig,
}) => {
  const { production } = rig.world.settings;
  if (production) production.approval = { by: 'none' };
  const first = await rig.deliver(at(1));
  await rig.sees(at(1), { state: 'waiting' });
  await rig.review('staging', 'claims', 'approve');
  expect((await first.result()).state).toBe('succeeded');
  const before = rig.world.effects.length;

  if (production)
    production.approval = { by: 'decisions', quorum: 1, expiresAfterMs: 60_000, deciders: ['board-1'] };
  const again = await rig.deliver(at(1));
  await rig.sees(at(1), { waitingFor: '1 of 1 approvals' });
  await rig.decide('production', { change: at(1), verdict: 'approve', by: 'board-1' });
  expect((await again.result()).state).toBe('succeeded');
  expect(rig.world.effects.slice(before).filter((effect) => /^(write|open|merge)/.test(effect))).toEqual([]);
});

test.describe('withdrawal', () => {
  test('a delivery cancelled during a review closes its pull request and changes nothing more', async ({
    rig,
  }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    await delivery.cancel();
    await expect(delivery.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
    expect(rig.world.effects).not.toContain(`merge staging claims/${at(1).commit}`);
    expect(rig.world.deliveries[0]).toMatchObject({ state: 'failed', reason: 'The delivery was cancelled.' });
  });

  test('a delivery cancelled while it waits for another leaves the queue', async ({ rig }) => {
    await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    const second = await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    await second.cancel();
    await expect(second.result()).rejects.toThrow();
    expect((await rig.view('staging', 'claims')).waiting).toEqual([]);
  });

  test('a delivery that somebody terminated is not missed by its environment', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    await delivery.terminate();
    await rig.review('staging', 'claims', 'reject');
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
  });
});

test('a delivery that was terminated and started again has its people asked once more, not twice', async ({
  rig,
}) => {
  const delivery = await rig.deliver(at(1));
  await rig.sees(at(1), { waitingFor: 'a review of pull request #1: https://forge/1' });
  await delivery.terminate();

  await rig.deliver(at(1));
  await rig.sees(at(1), { waitingFor: 'a review of pull request #2: https://forge/2' });
  expect(rig.world.pullRequests.get(1)?.state).toBe('closed');
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
});

test.describe('an environment', () => {
  test('is not ended by a request to cancel it', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { state: 'waiting' });
    await rig.environment('staging', 'claims').cancel();
    await expect(delivery.result()).rejects.toThrow();
    await rig.deliver(at(2));
    await rig.sees(at(2), { waitingFor: 'a review of pull request #2: https://forge/2' });
  });

  test('that somebody terminated recalls what runs, and refuses the older change still', async ({ rig }) => {
    const dev = () => rig.environment('dev', 'claims');
    await rig.deliver(at(5));
    await rig.sees(at(5), { state: 'waiting' });
    await dev().terminate();
    expect((await (await rig.deliver(at(4))).result()).state).toBe('superseded');
    expect((await rig.view('dev', 'claims')).current?.change).toEqual(at(5));
  });
});

test('asks of a run that has ended, which come late, take nothing from the delivery that was started again', async ({
  rig,
}) => {
  const cancelled = await rig.deliver(at(1));
  await rig.sees(at(1), { state: 'waiting' });
  await cancelled.cancel();
  await expect(cancelled.result()).rejects.toThrow();
  const { events } = await cancelled.fetchHistory();
  const asked = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name === 'askEnvironment' ? (scheduled.input?.payloads ?? []) : [],
  );

  await rig.deliver(at(1));
  await rig.sees(at(1), { state: 'waiting' });
  const before = await rig.view('dev', 'claims');
  for (const payload of asked) {
    const { environment, ask } = defaultPayloadConverter.fromPayload<AskInput>(payload);
    await rig.environment(environment, 'claims').signal(promote, ask);
  }
  expect(asked).toHaveLength(2);
  expect(await rig.view('dev', 'claims')).toEqual(before);
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
});

test.describe('decisions', () => {
  test.beforeEach(({ rig }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
  });
  const approve = (by: string, more: object = {}) => ({
    change: at(1),
    verdict: 'approve' as const,
    by,
    ...more,
  });

  test('are refused from authors, strangers, twice by one person, for other changes and other manifests', async ({
    rig,
  }) => {
    rig.world.authors = ['board-3'];
    await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    const refused = (request: Parameters<typeof rig.decide>[1]) =>
      expect(rig.decide('production', request)).rejects.toMatchObject({
        cause: { message: expect.any(String) as unknown, type: 'Refused' },
      });
    await refused(approve('board-3'));
    await refused(approve('stranger'));
    await refused(approve('__proto__'));
    await refused({ ...approve('board-1'), change: at(2) });
    await refused(approve('board-1', { manifestsDigest: 'sha256:other' }));
    await rig.decide('production', approve('board-1'));
    await refused(approve('board-1'));
    expect((await rig.view('production', 'claims')).active?.view.waitingFor).toBe('1 of 2 approvals');
  });

  test('one reject is final', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.decide('production', approve('board-1'));
    await rig.decide('production', { ...approve('board-2'), verdict: 'reject', reason: 'claims freeze' });
    expect(await delivery.result()).toMatchObject({
      state: 'rejected',
      environments: { production: { reason: 'board-2 rejected it: claims freeze' } },
    });
    expect(rig.world.effects.filter((effect) => effect.startsWith('sync'))).toEqual([]);
  });

  test('before they are asked for are refused', async ({ rig }) => {
    await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await expect(rig.decide('dev', approve('board-1'))).rejects.toThrow();
  });

  test('are void when the manifests moved by the merge, and are asked for again', async ({ rig }) => {
    rig.world.movedDigest = 'sha256:moved';
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.decide('production', approve('board-1'));
    await rig.decide('production', approve('board-2'));
    await expect.poll(() => rig.world.effects.at(-1)).toBe(`merge production claims/${at(1).commit}`);
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    expect(rig.world.effects.at(-1)).not.toMatch(/^sync/);
    // Who decided sees that it does not count any more.
    const { environments } = await rig.status(at(1));
    expect(environments['production']).toMatchObject({
      decisions: [],
      voided: [{ by: 'board-1' }, { by: 'board-2' }],
    });
    for (const by of ['board-1', 'board-2']) {
      await rig.decide('production', approve(by, { manifestsDigest: 'sha256:moved' }));
    }
    expect((await delivery.result()).state).toBe('succeeded');
  });

  test('are not made anew by who wrote what came with the merge', async ({ rig }) => {
    rig.world.movedDigest = 'sha256:moved';
    rig.world.movedAuthors = ['board-1'];
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.decide('production', approve('board-1'));
    await rig.decide('production', approve('board-2'));
    const moved = (by: string) => rig.decide('production', approve(by, { manifestsDigest: 'sha256:moved' }));
    await rig.sees(at(1), {
      waitingFor: '2 of 2 approvals',
      environments: { production: { state: 'waiting', manifestsDigest: 'sha256:moved' } },
    });
    await expect(moved('board-1')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('board-1 wrote a commit of this change') as string },
    });
    await moved('board-2');
    await moved('board-3');
    expect((await delivery.result()).state).toBe('succeeded');
  });

  test('are asked for again when something else would run once a window has opened', async ({ rig }) => {
    let isClosed = true;
    rig.world.inTheWay = () =>
      isClosed ? later('SyncWindowClosed', 'The sync window is closed') : undefined;
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.decide('production', approve('board-1'));
    await rig.decide('production', approve('board-2'));
    await expect.poll(() => rig.world.effects.at(-1)).toBe(`merge production claims/${at(1).commit}`);
    rig.world.movedDigest = 'sha256:moved';
    isClosed = false;
    await rig.sees(at(1), {
      waitingFor: '2 of 2 approvals',
      environments: { production: { state: 'waiting', manifestsDigest: 'sha256:moved' } },
    });
    for (const by of ['board-1', 'board-2']) {
      await rig.decide('production', approve(by, { manifestsDigest: 'sha256:moved' }));
    }
    expect((await delivery.result()).state).toBe('succeeded');
    expect(rig.world.effects.filter((effect) => effect.startsWith('sync'))).toEqual([
      'sync production merge-2',
    ]);
  });

  test('a pull request merged by hand is not synced without its quorum', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    await rig.touch('production', 'claims', { state: 'merged' });
    await rig.decide('production', approve('board-1'));
    await rig.sees(at(1), { waitingFor: '1 of 2 approvals' });
    expect(rig.world.effects.filter((effect) => effect.startsWith('sync'))).toEqual([]);
    await rig.decide('production', approve('board-2'));
    expect((await delivery.result()).state).toBe('succeeded');
  });

  test('a configuration that demands more meanwhile is obeyed', async ({ rig }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    const { production } = rig.world.settings;
    if (production?.approval.by === 'decisions') production.approval.quorum = 3;
    await rig.decide('production', approve('board-1'));
    await rig.decide('production', approve('board-2'));
    await rig.sees(at(1), { waitingFor: '1 of 3 approvals' });
    await rig.decide('production', approve('board-3'));
    expect((await delivery.result()).state).toBe('succeeded');
  });

  test('a configuration that demands less meanwhile takes nothing back from those who were asked', async ({
    rig,
  }) => {
    const delivery = await rig.deliver(at(1));
    await rig.sees(at(1), { waitingFor: '2 of 2 approvals' });
    const { production } = rig.world.settings;
    if (production?.approval.by === 'decisions') production.approval.quorum = 1;
    await rig.decide('production', approve('board-1'));
    await rig.sees(at(1), { waitingFor: '1 of 2 approvals' });
    if (production) production.approval = { by: 'none' };
    await rig.decide('production', approve('board-2'));
    expect((await delivery.result()).state).toBe('succeeded');
  });
});
