import { expect, test } from 'vitest';
import type { Application } from '../argocd/application.ts';
import { liveOf, type Promoted } from './drift.ts';

const change = { service: 'claims', commit: 'a'.repeat(40) };
const digest = `sha256:${'1'.repeat(64)}`;
const promoted: Promoted = { change, revision: 'b'.repeat(40), image: digest };
const since = '2026-01-01T08:00:00.000Z';
const then = Date.parse(since);

const application = (changes: Partial<Application> = {}): Application => ({
  name: 'claims-production',
  project: 'default',
  destination: {},
  deleting: false,
  sync: { status: 'Synced', revision: 'b'.repeat(40) },
  health: { status: 'Healthy' },
  conditions: [],
  resources: [],
  deployedRevision: 'b'.repeat(40),
  deployedRevisions: ['b'.repeat(40)],
  images: [`registry.example/claims:v1@${digest}`],
  ...changes,
});
const drift = (
  changes: Partial<Application> = {},
  synced: Parameters<typeof liveOf>[3] = { differs: false },
) => liveOf('claims-production', application(changes), promoted, synced).drift;

test('what runs as it was promoted is as it should be', () => {
  const live = liveOf('claims-production', application(), promoted, { differs: false });
  expect(live).toEqual({ health: 'Healthy', sync: 'Synced', revision: 'b'.repeat(40) });
});

test.each([
  [
    'pods that somebody changed with kubectl',
    { images: ['registry.example/claims:v0@sha256:0'] },
    /Its pods run .*v0@sha256:0, not sha256:1/,
  ],
  [
    'a crash loop',
    { health: { status: 'Degraded', message: 'CrashLoopBackOff', since: then } },
    /is Degraded: CrashLoopBackOff/,
  ],
  [
    'manifests that do not render',
    { conditions: [{ type: 'ComparisonError', message: 'no such file', since: then }] },
    /cannot compare or sync claims-production: no such file/,
  ],
  [
    'a cluster that somebody edited',
    { sync: { status: 'OutOfSync' } },
    /does not hold what Git has for claims-production \(OutOfSync\)/,
  ],
  ['an Application that goes', { deleting: true }, /is being deleted/],
] satisfies [string, Partial<Application>, RegExp][])('%s is told, with what to do', (_, changes, what) => {
  expect(drift(changes)).toMatchObject({
    what: expect.stringMatching(what),
    remedy: expect.stringMatching(/\.$|--revision b{40}$/),
  });
});

test('since when is told where Argo CD knows', () => {
  expect(drift({ health: { status: 'Degraded', since: then } })).toMatchObject({ since });
  expect(drift({ sync: { status: 'OutOfSync' } })).not.toHaveProperty('since');
});

const bringBack = (commit: string) =>
  `Bring it back: gitops deliver --service claims --commit ${commit.repeat(40)}`;
const orSync =
  'Where the environments before it have a newer change by now, deliver that one, ' +
  `or sync what was promoted once more: argocd app sync claims-production --revision ${'b'.repeat(40)}`;

test('what a change of the overlay alone left is brought back by that change, which is the newer one', () => {
  const live = liveOf(
    'claims-production',
    application({ images: ['other'] }),
    { ...promoted, overlay: 'e'.repeat(40) },
    { differs: false },
  );
  expect(live.drift?.remedy).toBe(`${bringBack('e')}. ${orSync}`);
});

test('where people let changes in, nobody is told to sync past them', () => {
  const outOfSync = { sync: { status: 'OutOfSync' } };
  expect(drift({ ...outOfSync, automated: { prune: true } })?.remedy).toMatch(/Then deliver, or sync it\.$/);
  expect(drift(outOfSync)?.remedy).toMatch(
    /is to be delivered, or reverted: a sync by hand would bring it past/,
  );
});

test('a release that Argo CD rolled back is named, and how to bring the promoted one back', () => {
  const older = { service: 'claims', commit: 'c'.repeat(40) };
  expect(drift({ deployedRevision: 'd'.repeat(40) }, { differs: true, change: older })).toEqual({
    what: `Argo CD synced claims/${'c'.repeat(40)} (revision dddddddddd), not claims/${'a'.repeat(40)}, which was promoted last.`,
    remedy: `${bringBack('a')}. ${orSync}`,
  });
  expect(drift({}, { differs: true })).toMatchObject({
    what: expect.stringContaining('what nobody promoted'),
  });
});

test('pods of a rollout, or of none at all, are no drift', () => {
  expect(
    drift({ images: ['registry.example/claims:v0@sha256:0', `registry.example/claims:v1@${digest}`] }),
  ).toBeUndefined();
  expect(drift({ images: [] })).toBeUndefined();
});

test('while Argo CD syncs it is on its way', () => {
  const operation = { by: 'somebody', phase: 'Running', startedAt: then };
  expect(
    drift({ operation, health: { status: 'Progressing' }, sync: { status: 'OutOfSync' } }),
  ).toBeUndefined();
});

test('a release that runs with another overlay than was promoted is told apart from another release', () => {
  const live = liveOf('claims-production', application(), promoted, { differs: true, change, overlay: true });
  expect(live.drift?.what).toMatch(/^Argo CD synced claims\/a{40} with another overlay \(revision /);
});

test('an Application that is gone is missed only where something was promoted', () => {
  expect(liveOf('claims-dev', undefined, promoted, { differs: false })).toMatchObject({
    health: 'Missing',
    drift: {},
  });
  expect(liveOf('claims-dev', undefined, undefined, { differs: false })).toEqual({
    health: 'Missing',
    sync: 'Unknown',
  });
});
