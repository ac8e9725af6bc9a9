import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  backupKey,
  backupKeySchema,
  isOverdue,
  newestGood,
  noCounts,
  tooSmall,
  type RecoveryPoint,
} from './backup.ts';
import { canonicalJson } from '../json.ts';
import { placeOf, reduced, revisionsOf } from './backup-contents.ts';

/** The same value with the keys of every object in another order. */
const reordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reordered(inner)]),
  );
};

test('the same state has the same bytes, in whatever order its keys came, and nothing of it is lost', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = JSON.parse(JSON.stringify(value)) as unknown;
      expect(canonicalJson(reordered(once))).toBe(canonicalJson(once));
      expect(JSON.parse(canonicalJson(once))).toEqual(once);
      expect(canonicalJson(once)).not.toContain('\n');
    }),
  );
});

const application = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: {
    name: 'orders',
    namespace: 'argocd',
    uid: 'u',
    resourceVersion: '7',
    creationTimestamp: 'then',
    managedFields: [{}],
    ownerReferences: [{}],
    labels: { wave: '1' },
    annotations: {
      note: 'kept',
      'argocd.argoproj.io/refresh': 'hard',
      'argocd.argoproj.io/refresh-timestamp': '2026-01-01T00:00:00Z',
    },
    finalizers: ['resources-finalizer.argocd.argoproj.io'],
  },
  spec: { project: 'default' },
  operation: { sync: {} },
  status: {
    health: { status: 'Healthy' },
    sync: { status: 'Synced', revision: 'compared' },
    history: [
      { id: 1, revision: 'first' },
      { id: 2, revision: 'second' },
    ],
  },
};
const reduce = (object: typeof application, home = 'argocd') =>
  reduced('argoproj.io/v1alpha1', 'Application', object, home);

test('of an Application its meaning and its history are kept, not its operation, health or identity', () => {
  expect(reduce(application)).toEqual({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: 'orders',
      labels: { wave: '1' },
      annotations: { note: 'kept' },
      finalizers: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec: { project: 'default' },
    status: { history: application.status.history },
  });
});

test('an object of another namespace than that of Argo CD keeps it', () => {
  expect(reduce(application, 'elsewhere')).toMatchObject({ metadata: { namespace: 'argocd' } });
});

test('what an Application runs is its last sync, or what it was found in sync with before there was one', () => {
  const compared = (status: string) =>
    revisionsOf({ ...application, status: { sync: { status, revisions: ['a', 'b'] } } });
  expect(revisionsOf(application)).toEqual(['second']);
  expect(compared('Synced')).toEqual(['a', 'b']);
  // The branch's head, which nobody let in.
  expect(compared('OutOfSync')).toEqual([]);
  expect(revisionsOf({ ...application, status: {} })).toEqual([]);
});

test('repositories, clusters and the settings that argocd admin export forgets belong to the state', () => {
  const labelled = { name: 'r', labels: { 'argocd.argoproj.io/secret-type': 'repository' } };
  expect(placeOf('Secret', labelled)).toBe('imported');
  expect(placeOf('Secret', { name: 'argocd-notifications-secret' })).toBe('beside');
  expect(placeOf('ConfigMap', { name: 'argocd-gpg-keys-cm' })).toBe('beside');
  expect(placeOf('Secret', { name: 'argocd-redis' })).toBeUndefined();
  expect(placeOf('ConfigMap', { name: 'kube-root-ca.crt' })).toBeUndefined();
});

const counts = fc.record({
  ConfigMap: fc.nat(50),
  Secret: fc.nat(50),
  AppProject: fc.nat(50),
  Application: fc.nat(50),
  ApplicationSet: fc.nat(50),
});

test('a backup is too small exactly when it has no Application or less of a kind than the share of the last', () => {
  fc.assert(
    fc.property(
      counts,
      fc.option(counts, { nil: undefined }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (now, last, share) => {
        const empty = now.Application + now.ApplicationSet === 0;
        const shrunk = Object.entries(last ?? {}).some(
          ([kind, n]) => now[kind as keyof typeof now] < n * share,
        );
        expect(tooSmall(now, last, share) !== undefined).toBe(empty || shrunk);
      },
    ),
  );
});

test('a backup that holds as much as the last one is never too small', () => {
  fc.assert(
    fc.property(counts, (now) => {
      fc.pre(now.Application > 0);
      expect(tooSmall(now, now, 1)).toBeUndefined();
    }),
  );
});

test('keys are valid, and sort by time', () => {
  const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(moment, moment, hash, hash, (a, b, x, y) => {
      const [first, second] = [a, b].map((at, i) => backupKey('live', at.toISOString(), i === 0 ? x : y));
      expect(backupKeySchema.safeParse(first).success).toBe(true);
      if (a.getTime() + 1000 <= b.getTime()) expect((first ?? '') < (second ?? '')).toBe(true);
    }),
  );
});

const point = (time: string, state: RecoveryPoint['state']): RecoveryPoint => ({
  key: `argocd/live/2026-01-01/${time}Z-0123456789abcdef`,
  cluster: 'live',
  createdAt: `2026-01-01T${time.slice(0, 2)}:00:00Z`,
  size: 1,
  counts: noCounts(),
  state,
});

test('what is not verified, or was found wanting, does not silence the alarm', () => {
  const points = [point('030000', 'unverified'), point('020000', 'suspect'), point('010000', 'good')];
  const newest = newestGood(points);
  expect(newest?.key).toContain('010000Z');
  const hour = 3_600_000;
  expect(isOverdue(newest, 2 * hour, Date.parse('2026-01-01T02:59:00Z'))).toBe(false);
  expect(isOverdue(newest, 2 * hour, Date.parse('2026-01-01T03:01:00Z'))).toBe(true);
  expect(isOverdue(newestGood(points.slice(0, 2)), 2 * hour, 0)).toBe(true);
});
