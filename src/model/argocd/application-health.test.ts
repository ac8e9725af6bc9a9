import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application, Operation } from './application.ts';
import {
  brokenRenderMs,
  driftMs,
  graceMs,
  judge,
  type Presence,
  type ReleasePresence,
} from './application-health.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const wanted = 'a'.repeat(40);
const since = now - 120_000;
const later = 'b'.repeat(40);
const id = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';

const operation = (changes: Partial<Operation> = {}): Operation => ({
  by: 'Argo CD itself',
  phase: 'Succeeded',
  revision: wanted,
  startedAt: now - 20_000,
  finishedAt: now - 10_000,
  ...changes,
});

const application = (changes: Partial<Application> = {}): Application => ({
  name: 'claims-dev',
  project: 'default',
  destination: { namespace: 'claims' },
  automated: { prune: true },
  deleting: false,
  sync: { status: 'Synced', revision: wanted },
  health: { status: 'Healthy', since: now - 9_000 },
  reconciledAt: now - 9_000,
  conditions: [],
  resources: [],
  operation: operation(),
  deployedRevisions: [],
  images: [],
  ...changes,
});

const presence = (changes: Partial<ReleasePresence> = {}): ReleasePresence => ({
  compared: 'here',
  synced: 'here',
  deployed: 'here',
  syncedIsSame: true,
  headIsSame: true,
  ...changes,
});

const following = (app: Application | undefined, changes?: Partial<ReleasePresence>) =>
  judge(app, { revision: wanted, since }, presence(changes), now);

test('synced and healthy at the wanted revision is healthy', () => {
  expect(following(application())).toEqual({ state: 'healthy', revision: wanted });
});

test('a head that moved on with other services’ commits is as good', () => {
  const app = application({ sync: { status: 'Synced', revision: later } });
  expect(following(app)).toEqual({ state: 'healthy', revision: later });
});

test('a release that another one was written over is overtaken', () => {
  const app = application({ sync: { status: 'Synced', revision: later } });
  expect(following(app, { compared: 'replaced' })).toMatchObject({ state: 'overtaken' });
});

test('the health of before the commit does not count', () => {
  const app = application({ sync: { status: 'Synced', revision: later } });
  expect(following(app, { compared: 'behind' })).toMatchObject({ state: 'waiting', stale: true });
});

test('the health of before the sync’s end does not count', () => {
  expect(following(application({ reconciledAt: now - 11_000 }))).toMatchObject({
    state: 'waiting',
    stale: true,
  });
});

test('an Application that is not there yet is waited for', () => {
  expect(following(undefined)).toMatchObject({ state: 'waiting', for: 'the Application to be created' });
});

test('Running with an end is a sync that will be tried again', () => {
  const retrying = operation({ phase: 'Running', message: 'failed to apply', finishedAt: now - 1000 });
  expect(following(application({ operation: retrying }))).toMatchObject({
    state: 'waiting',
    for: 'the sync to be tried again (failed to apply)',
  });
});

test('Argo CD healing what it has just applied does not hold up anybody', () => {
  const healing = operation({
    phase: 'Running',
    finishedAt: undefined,
    startedAt: now - 9000,
    healing: true,
  });
  const app = application({ operation: healing, requested: {} });
  expect(following(app)).toMatchObject({ state: 'healthy' });
  // What it heals may be the release of before.
  expect(following(app, { deployed: 'behind' })).toMatchObject({ state: 'waiting' });
  const drifted = { ...app, sync: { status: 'OutOfSync', revision: wanted } };
  expect(following(drifted)).toMatchObject({ state: 'waiting' });
});

test('a prune that somebody has to confirm is shown as what it waits for', () => {
  const message = 'waiting for pruning confirmation of apps/Deployment/old';
  const pruning = operation({ phase: 'Running', message, finishedAt: undefined });
  expect(following(application({ operation: pruning }))).toMatchObject({ for: `the sync (${message})` });
});

test('missing resources are waited for', () => {
  expect(following(application({ health: { status: 'Missing' } }))).toMatchObject({ state: 'waiting' });
});

test('Degraded fails only when it lasts, counted from the sync and from when it was waited for', () => {
  const degraded = { status: 'Degraded', message: 'exceeded its progress deadline', since: now - 3_600_000 };
  expect(following(application({ health: degraded }))).toMatchObject({ state: 'waiting' });
  const old = operation({ finishedAt: now - graceMs });
  expect(following(application({ health: degraded, operation: old }))).toEqual({
    state: 'failed',
    reason: 'Degraded: exceeded its progress deadline',
  });
  const again = { revision: wanted, since: now - graceMs + 1 };
  expect(judge(application({ health: degraded, operation: old }), again, presence(), now)).toMatchObject({
    state: 'waiting',
  });
});

const old = operation({ startedAt: now - 4_000_000, finishedAt: now - 3_600_000 });
const troubled = (status: string, ...resources: { kind: string; status?: string }[]) =>
  application({
    health: { status, since: now - 3_600_000 },
    operation: old,
    resources: resources.map(({ kind, status: own = status }) => ({
      kind,
      namespace: 'dev',
      name: 'orders',
      health: { status: own },
    })),
  });
const longAgo = (app: Application, mayBeDegradedMs?: Record<string, number>) =>
  judge(
    app,
    { revision: wanted, since: now - 3_600_000, ...(mayBeDegradedMs && { mayBeDegradedMs }) },
    presence(),
    now,
  );

test.each(['HorizontalPodAutoscaler', 'ScaledObject', 'ScaledJob'])(
  'a %s that has no metrics yet is waited for until the deadline, and named',
  (kind) => {
    expect(longAgo(troubled('Degraded', { kind }))).toEqual({
      state: 'waiting',
      for: `health (Degraded: ${kind}/orders in dev)`,
    });
  },
);

test('an autoscaler that an Argo CD before 3.0 does not name is told by its message', () => {
  const message = 'the HPA was unable to compute the replica count: did not receive metrics';
  const app = application({
    health: { status: 'Degraded', message, since: now - 3_600_000 },
    operation: old,
  });
  expect(longAgo(app)).toMatchObject({ state: 'waiting', for: expect.stringContaining(message) });
});

test('a workload that is Degraded beside an autoscaler fails as ever', () => {
  const app = troubled('Degraded', { kind: 'HorizontalPodAutoscaler' }, { kind: 'Deployment' });
  expect(longAgo(app)).toEqual({
    state: 'failed',
    reason: 'Degraded: HorizontalPodAutoscaler/orders in dev, Deployment/orders in dev',
  });
});

test('how long a kind may be Degraded is what the environment says', () => {
  const certificate = troubled('Degraded', { kind: 'Certificate' });
  expect(longAgo(certificate)).toMatchObject({ state: 'failed' });
  expect(longAgo(certificate, { Certificate: 3_600_001 })).toMatchObject({ state: 'waiting' });
  expect(longAgo(certificate, { Certificate: 3_600_000 })).toMatchObject({ state: 'failed' });
  const autoscaler = troubled('Degraded', { kind: 'HorizontalPodAutoscaler' });
  expect(longAgo(autoscaler, { HorizontalPodAutoscaler: 60_000 })).toMatchObject({ state: 'failed' });
});

test.each(['CronJob', 'Job', 'ScaledJob', 'ScaledObject'])(
  'a %s that is suspended on purpose is as good as healthy',
  (kind) => {
    expect(longAgo(troubled('Suspended', { kind }))).toMatchObject({ state: 'healthy' });
  },
);

test('a Deployment that is paused fails, and whoever reads it knows how to resume it', () => {
  const app = troubled('Suspended', { kind: 'CronJob' }, { kind: 'Deployment' });
  expect(longAgo(app)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(
      /^Deployment\/orders in dev is paused.* kubectl -n dev rollout resume deployment\/orders/,
    ),
  });
  // Somebody may be about to resume it.
  expect(judge(app, { revision: wanted, since: now }, presence(), now)).toMatchObject({ state: 'waiting' });
});

test('a Rollout that is paused is waited for by name, since its steps pause it, too', () => {
  expect(longAgo(troubled('Suspended', { kind: 'Rollout' }))).toMatchObject({
    state: 'waiting',
    for: expect.stringMatching(/Rollout\/orders in dev is paused.*argo rollouts -n dev promote orders/),
  });
});

test('what is Suspended and not named is not taken for healthy', () => {
  expect(longAgo(troubled('Suspended'))).toMatchObject({ state: 'waiting', for: 'health (Suspended)' });
});

test('what never gets in sync is named, and so is an Application that nobody syncs', () => {
  const app = application({
    sync: { status: 'OutOfSync', revision: wanted },
    resources: [{ kind: 'Deployment', namespace: 'dev', name: 'orders', sync: 'OutOfSync' }],
  });
  expect(following(app)).toMatchObject({ for: 'Argo CD to sync (OutOfSync: Deployment/orders in dev)' });
  expect(following({ ...app, automated: undefined })).toMatchObject({
    for: expect.stringContaining('somebody to sync it'),
  });
});

test('a cluster that is not as it was synced for a while has drifted from that revision', () => {
  const app = (finishedAt: number, changes: Partial<Operation> = {}) =>
    application({
      sync: { status: 'OutOfSync', revision: later },
      operation: operation({ finishedAt, ...changes }),
    });
  expect(following(app(now - driftMs))).toMatchObject({ state: 'waiting', drifted: wanted });
  const own = { revision: wanted, since, operationId: id };
  expect(judge(app(now - driftMs, { id }), own, presence(), now)).toMatchObject({ drifted: wanted });
  // Argo CD may not have looked again, may be about to sync, or could not.
  expect(following(app(now - driftMs + 1))).not.toHaveProperty('drifted');
  expect(following(app(now - driftMs), { synced: 'behind' })).not.toHaveProperty('drifted');
  expect(following(app(now - driftMs, { phase: 'Failed' }))).not.toHaveProperty('drifted');
});

test('a failed sync of the compared revision is not tried again by Argo CD, so it is the end', () => {
  const failed = operation({ phase: 'Failed', message: 'one or more objects failed to apply' });
  const app = application({ sync: { status: 'OutOfSync', revision: wanted }, operation: failed });
  expect(following(app)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('failed to apply'),
  });
});

test('a failed sync of an older head is given the time to be tried at the newer one', () => {
  const app = (finishedAt: number) =>
    application({
      sync: { status: 'OutOfSync', revision: later },
      operation: operation({ phase: 'Failed', finishedAt }),
    });
  expect(following(app(now - 1000))).toMatchObject({ state: 'waiting' });
  expect(following(app(now - graceMs))).toMatchObject({ state: 'failed' });
});

test('a failed sync of before the release does not count', () => {
  const app = application({
    sync: { status: 'OutOfSync', revision: wanted },
    operation: operation({ phase: 'Failed', revision: 'c'.repeat(40), finishedAt: now - 3_600_000 }),
  });
  expect(following(app, { synced: 'behind' })).toMatchObject({ state: 'waiting' });
});

test('manifests that cannot be built fail before the deadline; a forge that is away does not', () => {
  const app = (message: string, reconciledAt: number) =>
    application({
      sync: { status: 'Unknown', revision: 'main' },
      conditions: [{ type: 'ComparisonError', message, since: now - 3_600_000 }],
      reconciledAt,
    });
  const broken = '`kustomize build <path>` failed exit status 1: Error: no such file';
  const behind = { compared: 'behind' } as const;
  expect(following(app(broken, since + brokenRenderMs), behind)).toEqual({ state: 'failed', reason: broken });
  // It may have been broken before this commit, which mends it.
  expect(following(app(broken, since + 1000), behind)).toMatchObject({ state: 'waiting', stale: true });
  expect(following(app('failed to list refs: connection refused', now), behind)).toMatchObject({
    state: 'waiting',
    for: expect.stringContaining('connection refused'),
  });
});

const asking = (app: Application, changes?: Partial<ReleasePresence>) =>
  judge(app, { revision: wanted, operationId: id, since }, presence(changes), now);
const ours = operation({ id, by: 'gitops' });

test('at an explicit revision, Synced is only asked for while the head holds the same', () => {
  const app = application({
    automated: undefined,
    sync: { status: 'OutOfSync', revision: later },
    operation: ours,
  });
  expect(asking(app)).toMatchObject({ state: 'waiting' });
  expect(asking(app, { headIsSame: false, compared: 'replaced' })).toEqual({
    state: 'healthy',
    revision: wanted,
  });
});

test('within one second, only Synced tells that the look came after the sync', () => {
  const sameSecond = { operation: ours, reconciledAt: ours.finishedAt };
  expect(asking(application(sameSecond))).toMatchObject({ state: 'healthy' });
  const unsynced = application({ ...sameSecond, sync: { status: 'OutOfSync', revision: later } });
  expect(asking(unsynced, { headIsSame: false })).toMatchObject({ state: 'waiting', stale: true });
});

test('our operation that failed is a failure with its message', () => {
  const app = application({ operation: operation({ id, phase: 'Error', message: 'no such revision' }) });
  expect(asking(app)).toEqual({ state: 'failed', reason: 'The sync failed: no such revision' });
});

test('another’s operation is waited for, and then ours is asked for again unless theirs brought the release', () => {
  const theirs = operation({ by: 'admin', phase: 'Running', finishedAt: undefined });
  expect(asking(application({ operation: theirs }))).toMatchObject({ for: 'the operation of admin to end' });
  const ended = application({ operation: operation({ by: 'admin' }) });
  expect(asking(ended, { synced: 'behind' })).toEqual({ state: 'lost' });
  expect(asking(ended, { synced: 'replaced' })).toMatchObject({ state: 'overtaken' });
  expect(asking(ended)).toMatchObject({ state: 'healthy' });
});

test('what somebody put there after ours is not put back', () => {
  const theirs = operation({ by: 'admin', revision: 'c'.repeat(40) });
  const app = application({ operation: theirs, deployedRevisions: ['c'.repeat(40), wanted] });
  const reason = expect.stringContaining('by admin');
  expect(asking(app, { synced: 'behind' })).toMatchObject({ state: 'failed', reason });
  const unseen = application({ operation: theirs });
  const taken = { revision: wanted, operationId: id, since, taken: true };
  expect(judge(unseen, taken, presence({ synced: 'behind' }), now)).toMatchObject({
    state: 'failed',
    reason,
  });
});

test('what somebody synced of a later commit is not what people approved where its overlay is another', () => {
  const theirs = operation({ by: 'admin', revision: 'c'.repeat(40) });
  expect(asking(application({ operation: theirs }), { syncedIsSame: false })).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/^Another sync came after it, of c{40}, by admin, with another overlay/),
  });
});

test('an operation that nobody took up is lost; one that is asked for is waited for', () => {
  expect(asking(application({ operation: undefined }))).toEqual({ state: 'lost' });
  const asked = application({ operation: undefined, requested: { id } });
  expect(asking(asked)).toMatchObject({ state: 'waiting', for: 'the sync to start' });
});

const anyPresence = fc.constantFrom<Presence>('behind', 'here', 'replaced');
const anyReleasePresence = fc.record({
  compared: anyPresence,
  synced: anyPresence,
  deployed: anyPresence,
  syncedIsSame: fc.boolean(),
  headIsSame: fc.boolean(),
});
const anyTime = fc.integer({ min: now - 3_600_000, max: now });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const anyOperation = fc.record({
  id: maybe(fc.constantFrom(id, 'another')),
  by: fc.constant('somebody'),
  phase: fc.constantFrom('Running', 'Terminating', 'Succeeded', 'Failed', 'Error'),
  revision: maybe(fc.constantFrom(wanted, later)),
  startedAt: anyTime,
  finishedAt: maybe(anyTime),
  healing: fc.boolean(),
});
const anyApplication: fc.Arbitrary<Application> = fc.record({
  name: fc.constant('a'),
  project: fc.constant('p'),
  destination: fc.constant({}),
  automated: fc.constant({ prune: true }),
  deleting: fc.boolean(),
  sync: fc.record({
    status: fc.constantFrom('Synced', 'OutOfSync', 'Unknown'),
    revision: maybe(fc.constantFrom(wanted, later)),
  }),
  health: fc.record({
    status: fc.constantFrom('Healthy', 'Progressing', 'Degraded', 'Missing', 'Suspended', 'Unknown'),
    since: maybe(anyTime),
  }),
  reconciledAt: maybe(anyTime),
  conditions: fc.constant([]),
  resources: fc.array(
    fc.record({
      kind: fc.constantFrom('Deployment', 'CronJob', 'HorizontalPodAutoscaler'),
      name: fc.constant('r'),
      health: fc.record({ status: fc.constantFrom('Degraded', 'Suspended', 'Progressing') }),
    }),
  ),
  requested: maybe(fc.record({ id: maybe(fc.constantFrom(id, 'another')) })),
  operation: maybe(anyOperation),
  deployedRevisions: fc.subarray([wanted, later]),
  images: fc.constant([]),
});
const anyWanted = fc.constantFrom({ revision: wanted, since }, { revision: wanted, operationId: id, since });

test('whatever comes: healthy is never said of an old look, another health, an unfinished sync or another release', () => {
  fc.assert(
    fc.property(maybe(anyApplication), anyWanted, anyReleasePresence, (app, wanted, presence) => {
      if (judge(app, wanted, presence, now).state !== 'healthy') return;
      expect(app).toBeDefined();
      const rests = app?.resources.every(
        ({ kind, health }) => health?.status !== 'Suspended' || kind === 'CronJob',
      );
      expect(rests ? ['Healthy', 'Suspended'] : ['Healthy']).toContain(app?.health.status);
      expect(app?.reconciledAt ?? 0).toBeGreaterThanOrEqual(app?.operation?.finishedAt ?? 0);
      if (!app?.operation?.healing || 'operationId' in wanted || presence.deployed !== 'here') {
        expect(app?.requested).toBe(undefined);
        expect(['Running', 'Terminating']).not.toContain(app?.operation?.phase);
      }
      expect('operationId' in wanted ? presence.synced : presence.compared).toBe('here');
      if (!('operationId' in wanted)) expect(app?.sync.status).toBe('Synced');
    }),
    { numRuns: 2000 },
  );
});

test('whatever comes: an operation is asked for again only when none is under way', () => {
  fc.assert(
    fc.property(maybe(anyApplication), anyWanted, anyReleasePresence, (app, wanted, presence) => {
      if (judge(app, wanted, presence, now).state !== 'lost') return;
      expect('operationId' in wanted).toBe(true);
      expect(app?.requested).toBe(undefined);
      expect(['Running', 'Terminating']).not.toContain(app?.operation?.phase);
    }),
    { numRuns: 2000 },
  );
});
