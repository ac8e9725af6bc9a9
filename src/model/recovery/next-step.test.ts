import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application, Operation } from '../argocd/application.ts';
import { expectedRevisions, nextHealthStep, nextSyncStep } from './next-step.ts';

const id = '6f9619ff-8b86-8d01-b42d-00cf4fc964ff';
const startedAt = Date.parse('2026-11-24T12:00:00Z');
const minute = 60_000;

const operation = (changes: Partial<Operation> = {}): Operation => ({
  id,
  by: 'gitops',
  phase: 'Succeeded',
  startedAt: startedAt + minute,
  finishedAt: startedAt + 2 * minute,
  ...changes,
});

const application = (changes: Partial<Application> = {}): Application => ({
  name: 'orders',
  project: 'default',
  destination: {},
  deleting: false,
  sync: { status: 'Synced' },
  health: { status: 'Healthy' },
  reconciledAt: startedAt + 2 * minute,
  conditions: [],
  resources: [],
  operation: operation(),
  deployedRevisions: [],
  images: [],
  ...changes,
});

const revisions = fc.array(fc.stringMatching(/^([0-9a-f]{40}|\d\.\d\.\d)$/), { maxLength: 3 });

test('what an environment let in last goes before the backup, and without an environment the backup counts', () => {
  const sha = 'a'.repeat(40);
  fc.assert(
    fc.property(revisions, (backedUp) => {
      expect(expectedRevisions(backedUp, undefined)).toEqual(backedUp);
      expect(expectedRevisions(backedUp, sha)).toEqual(backedUp.length > 1 ? backedUp : [sha]);
    }),
  );
});

test.for([
  ['is asked for when none was', { operation: undefined }, 'start'],
  ['is asked for again when another one was the last', { operation: operation({ id: undefined }) }, 'start'],
  ['waits for somebody’s that runs', { operation: operation({ id: 'other', phase: 'Running' }) }, 'wait'],
  ['waits for somebody’s that was asked for', { operation: undefined, requested: {} }, 'wait'],
  ['waits while it runs', { operation: operation({ phase: 'Running', finishedAt: undefined }) }, 'wait'],
  ['waits while it is to be tried again', { operation: operation({ phase: 'Running' }) }, 'wait'],
  ['is over when it failed', { operation: operation({ phase: 'Failed' }) }, 'give-up'],
  ['is over when it was terminated', { operation: operation({ phase: 'Error' }) }, 'give-up'],
  ['is not asked for where the Application is being deleted', { deleting: true }, 'give-up'],
  ['is done when it succeeded', {}, 'done'],
] as const)('our operation %s', ([, changes, step]) => {
  expect(nextSyncStep(application(changes), id)).toBe(step);
});

test('nothing is asked of an Application that is not there', () => {
  expect(nextSyncStep(undefined, id)).toBe('give-up');
  expect(nextHealthStep(undefined, startedAt)).toBe('give-up');
});

test.for([
  ['counts when it was looked at after the sync', {}, 'done'],
  ['of before Argo CD ran again is no health', { reconciledAt: startedAt - 1000 }, 'refresh'],
  ['of before the sync is no health', { reconciledAt: startedAt + minute }, 'refresh'],
  ['was never looked at', { reconciledAt: undefined }, 'refresh'],
  ['that is not there yet is looked for again', { health: { status: 'Progressing' } }, 'refresh'],
  ['waits for somebody’s operation', { operation: operation({ id: 'other', phase: 'Running' }) }, 'wait'],
  ['of what is being deleted never comes', { deleting: true }, 'give-up'],
  ['counts in the same second where it reads Synced', { reconciledAt: startedAt + 2 * minute }, 'done'],
  [
    'needs a later look where it does not',
    { sync: { status: 'OutOfSync' }, reconciledAt: startedAt + 2 * minute },
    'refresh',
  ],
] as const)('health %s', ([, changes, step]) => {
  expect(nextHealthStep(application(changes), startedAt)).toBe(step);
});

test('nothing that Argo CD said before it ran again is ever taken for health', () => {
  const moment = fc.integer({ min: startedAt - 9 * minute, max: startedAt + 9 * minute });
  fc.assert(
    fc.property(
      moment,
      moment,
      fc.constantFrom('Synced', 'OutOfSync'),
      (reconciledAt, finishedAt, status) => {
        const app = application({ reconciledAt, sync: { status }, operation: operation({ finishedAt }) });
        if (nextHealthStep(app, startedAt) !== 'done') return;
        expect(reconciledAt).toBeGreaterThanOrEqual(Math.max(startedAt, finishedAt));
      },
    ),
  );
});
