import { expect, test } from 'vitest';
import type { RecoveredApplication, RecreationReport } from './recreation.ts';
import { reportText, shortcomings, summaryOf } from './recreation-report.ts';

const hour = 3_600_000;
const sha = 'a'.repeat(40);

const application = (name: string, changes: Partial<RecoveredApplication> = {}): RecoveredApplication => ({
  name,
  namespace: 'argocd',
  state: 'recovered',
  expected: [sha],
  runs: [sha],
  sync: 'Synced',
  health: 'Healthy',
  ...changes,
});

const report = (changes: Partial<RecreationReport> = {}): RecreationReport => ({
  cluster: 'live',
  drill: false,
  state: 'running',
  startedAt: '2026-11-24T12:00:00Z',
  finishedAt: '2026-11-24T12:20:00Z',
  plan: {
    backup: {
      key: 'argocd/live/2026-11-24/020000Z-0123456789abcdef',
      version: 'v1',
      sha256: 'f'.repeat(64),
      createdAt: '2026-11-24T02:00:00Z',
      argocdVersion: 'v3.6.1',
    },
    waves: [],
    roots: 0,
  },
  restored: { kinds: { Application: { expected: 1, created: 1, kept: 0, failed: 0 } }, failures: [] },
  phases: [
    {
      name: 'restore',
      state: 'succeeded',
      startedAt: '2026-11-24T12:00:00Z',
      finishedAt: '2026-11-24T12:01:00Z',
      detail: 'one | two\nthree',
    },
    { name: 'report', state: 'running' },
  ],
  rpoMs: 10 * hour,
  rtoMs: hour / 3,
  targets: { rpoMs: 26 * hour, rtoMs: hour },
  applications: [application('orders')],
  differing: [],
  leftOut: [],
  ...changes,
});

test('what passed says so in a line, and what it rests on', () => {
  expect(shortcomings(report())).toEqual([]);
  expect(summaryOf(report())).toBe(
    'All of it is back: 1 Applications in 20m 00s, from a backup that was 10h 00m old.',
  );
  const text = reportText(report());
  expect(text).toContain('# Recreation of live\n\n**Passed.**');
  expect(text).toContain('| restore | 1m 00s | one \\| two three |');
  expect(text).toContain('`argocd/live/2026-11-24/020000Z-0123456789abcdef`');
  expect(text).not.toContain('not back');
});

test.for([
  [
    'an Application that is not back',
    { applications: [application('orders', { state: 'not-recovered' })] },
    /1 of 1 Applications are not back: orders/,
  ],
  [
    'an object that could not be restored',
    { restored: { kinds: { Secret: { expected: 2, created: 1, kept: 0, failed: 1 } }, failures: [] } },
    /1 objects could not be restored/,
  ],
  [
    'an object that is unaccounted for',
    { restored: { kinds: { Secret: { expected: 2, created: 1, kept: 0, failed: 0 } }, failures: [] } },
    /Of 2 Secrets there are 1/,
  ],
  ['a backup that was too old', { rpoMs: 30 * hour }, /was 1d 6h old, and 1d 2h are allowed/],
  ['a recreation that took too long', { rtoMs: 2 * hour }, /took 2h 00m, and 1h 00m are allowed/],
] as const)('%s is no pass', ([, changes, reason]) => {
  const one = report(changes as Partial<RecreationReport>);
  expect(summaryOf(one)).toMatch(reason);
  expect(reportText(one)).toMatch(new RegExp(`\\*\\*Failed\\.\\*\\* .*${reason.source}`));
});

test('one that had never run is listed, and stands against nothing', () => {
  const one = report({
    applications: [application('orders'), application('new', { state: 'never-ran', expected: [] })],
  });
  expect(shortcomings(one)).toEqual([]);
  expect(reportText(one)).toMatch(/## Applications that had never run\n\n.*: new\./);
});

test('what others wrote stays text', () => {
  const reason = 'It is Degraded.\n``` <script>';
  const text = reportText(
    report({ applications: [application('orders', { state: 'not-recovered', reason })] }),
  );
  expect(text).toContain('````\nIt is Degraded.\n``` <script>\n````');
});

test('a report of thousands stays readable, and says where the rest is', () => {
  const many = Array.from({ length: 1000 }, (_, number) => application(`orders-${number}`));
  const text = reportText(report({ applications: many }));
  expect(text.split('\n').length).toBeLessThan(300);
  expect(text).toContain('And 800 more: the JSON beside this report has all of them.');
});

test('a drill says what it does not check', () => {
  const text = reportText(report({ drill: true }));
  expect(text).toContain('# Drill: a restore of live');
  expect(text).toContain('## What a drill does not check');
});
