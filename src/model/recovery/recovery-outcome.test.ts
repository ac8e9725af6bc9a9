import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application } from '../argocd/application.ts';
import { differing, isMoving, judgeRecovery, type Found } from './recovery-outcome.ts';

const startedAt = Date.parse('2026-11-24T12:00:00Z');
const [approved, head] = ['a'.repeat(40), 'b'.repeat(40)];

const found = (app: Partial<Application> = {}, more: Partial<Found> = {}): Found => ({
  application: {
    name: 'orders',
    project: 'default',
    destination: {},
    deleting: false,
    sync: { status: 'Synced' },
    health: { status: 'Healthy' },
    reconciledAt: startedAt + 60_000,
    conditions: [],
    resources: [],
    deployedRevisions: [],
    images: [],
    ...app,
  },
  runs: [approved],
  compared: [approved],
  images: [],
  ...more,
});
const automated = { prune: true };
const outOfSync = { sync: { status: 'OutOfSync' } };

test.for([
  ['at its revision, Synced and Healthy', found()],
  ['at its revision while the branch moved on', found(outOfSync, { compared: [head] })],
  [
    'Synced by Argo CD itself, wherever the branch is',
    found({ automated }, { runs: [head], compared: [head] }),
  ],
] as const)('an Application is back: %s', ([, one]) => {
  expect(judgeRecovery([approved], one, startedAt)).toEqual({ state: 'recovered' });
});

test.for([
  ['is not there', undefined, /not there/],
  ['is being deleted', found({ deleting: true }), /being deleted/],
  ['was last looked at before', found({ reconciledAt: startedAt - 1 }), /not looked at/],
  ['is Degraded', found({ health: { status: 'Degraded', message: 'no pod' } }), /Degraded: no pod/],
  ['differs from its very revision', found(outOfSync), /is OutOfSync/],
  ['cannot be compared', found({ sync: { status: 'Unknown' } }, { compared: [''] }), /is Unknown/],
  [
    'runs the head, which nobody let in',
    found({}, { runs: [head], compared: [head] }),
    /runs b{12}, not a{12}/,
  ],
  ['runs nothing', found(outOfSync, { runs: [], compared: [head] }), /runs nothing, not/],
  ['runs one of two sources', found({}, { runs: [approved, head] }), /runs a{12}, b{12}/],
  [
    'should sync by itself and did not',
    found({ automated, ...outOfSync }, { compared: [head] }),
    /OutOfSync/,
  ],
  ['is being synced', found({ operation: { by: 'x', phase: 'Running', startedAt } }), /is being synced/],
] as const)('an Application is not back that %s', ([, one, reason]) => {
  expect(judgeRecovery([approved], one, startedAt)).toEqual({
    state: 'not-recovered',
    reason: expect.stringMatching(reason),
  });
});

test('one that never ran anything is nobody’s fault', () => {
  fc.assert(
    fc.property(fc.option(fc.constant(found(outOfSync)), { nil: undefined }), (one) => {
      expect(judgeRecovery([], one, startedAt)).toEqual({ state: 'never-ran' });
    }),
  );
});

test('what Argo CD may still change by itself is waited for', () => {
  expect(isMoving(found({ automated, ...outOfSync }))).toBe(true);
  expect(isMoving(found({ automated, health: { status: 'Progressing' } }))).toBe(true);
  expect(isMoving(found({ requested: {} }))).toBe(true);
  expect(isMoving(found(outOfSync))).toBe(false);
  expect(isMoving(found({ automated, health: { status: 'Degraded' } }))).toBe(false);
});

test('another release than the remembered one is told by its image, else by its revision', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  const image = { name: 'localhost:5000/team/web', digest };
  const deployed = { change: { service: 'web', commit: approved }, position: 1, revision: approved, at: '' };
  const same = `${image.name}:${approved}@${digest}`;
  const other = `${image.name}:${head}@sha256:${'2'.repeat(64)}`;
  expect(differing({ ...deployed, image }, found({}, { images: [same], runs: [head] }))).toBeUndefined();
  expect(differing({ ...deployed, image }, found({}, { images: [other] }))).toBe(other);
  // Of one that has no pods, no image is known.
  expect(differing({ ...deployed, image }, found({}, { runs: [head] }))).toBe(head.slice(0, 12));
  expect(differing(deployed, found({}, { runs: [head] }))).toBe(head.slice(0, 12));
  expect(differing(deployed, found())).toBeUndefined();
  expect(differing(deployed, found({ automated }, { runs: [head] }))).toBeUndefined();
  expect(differing(deployed, undefined)).toBe('nothing');
});
