import { expect, test, vi } from 'vitest';
import { closedWindow, type SyncWindow } from './sync-windows.ts';

const target = { name: 'claims-production', destination: { namespace: 'claims', name: 'in-cluster' } };
const at = (text: string): number => Date.parse(text);
const friday = at('2026-11-27T18:30:00Z');

const freeze: SyncWindow = {
  kind: 'deny',
  schedule: '0 17 * * FRI',
  duration: '63h',
  applications: ['*-production'],
};

test('a freeze over the weekend closes on Friday evening and opens on Monday morning', () => {
  expect(closedWindow([freeze], target, at('2026-11-27T17:00:00Z'))).toBe(undefined);
  expect(closedWindow([freeze], target, at('2026-11-27T17:00:01Z'))).toContain('0 17 * * FRI');
  expect(closedWindow([freeze], target, at('2026-11-30T07:59:59Z'))).toContain('63h');
  expect(closedWindow([freeze], target, at('2026-11-30T08:00:00Z'))).toBe(undefined);
});

test('a freeze that lets people sync by hand stands in nobody’s way here', () => {
  expect(closedWindow([{ ...freeze, manualSync: true }], target, friday)).toBe(undefined);
  expect(closedWindow([{ ...freeze, manualSync: true }, freeze], target, friday)).toContain('deny');
});

test('a freeze of other applications does not count', () => {
  expect(closedWindow([freeze], { ...target, name: 'claims-staging' }, friday)).toBe(undefined);
  const both = { ...freeze, namespaces: ['other'], andOperator: true };
  expect(closedWindow([both], target, friday)).toBe(undefined);
  expect(closedWindow([{ ...both, andOperator: false }], target, friday)).toContain('deny');
});

test('with an allow window, anything outside it is closed', () => {
  const office = { kind: 'allow', schedule: '0 9 * * 1-5', duration: '8h', namespaces: ['*'] };
  expect(closedWindow([office], target, at('2026-11-24T10:00:00Z'))).toBe(undefined);
  expect(closedWindow([office], target, at('2026-11-24T20:00:00Z'))).toContain('allow');
  const night = { ...office, schedule: '0 20 * * *', duration: '1h' };
  expect(closedWindow([office, night], target, at('2026-11-24T20:30:00Z'))).toBe(undefined);
});

test('a deny window wins over an open allow window', () => {
  const always = { kind: 'allow', schedule: '* * * * *', duration: '1h', namespaces: ['*'] };
  expect(closedWindow([always, freeze], target, friday)).toContain('deny');
});

test('a window opens by the clock of its own time zone', () => {
  const riyadh = { ...freeze, schedule: '0 9 * * *', duration: '1h', timeZone: 'Asia/Riyadh' };
  expect(closedWindow([riyadh], target, at('2026-11-24T06:30:00Z'))).toContain('Asia/Riyadh');
  expect(closedWindow([riyadh], target, at('2026-11-24T09:30:00Z'))).toBe(undefined);
});

test.each(['0 9 * *', '61 9 * * *', '0 9 * * 7', 'x', '0 9-8 * * *'])(
  'a schedule that nobody can read (%s) closes',
  (schedule) => {
    expect(closedWindow([{ ...freeze, schedule }], target, friday)).toContain('deny');
  },
);

test('an allow window that nobody can read closes, too, as it keeps Argo CD from judging any', () => {
  const broken = { kind: 'allow', schedule: 'x', duration: '1h', namespaces: ['*'] };
  const always = { ...broken, schedule: '* * * * *' };
  expect(closedWindow([always, broken], target, friday)).toContain('allow "x"');
  expect(closedWindow([always, { ...broken, namespaces: ['other'] }], target, friday)).toBe(undefined);
});

test('what a window lets people do, Argo CD itself may not', () => {
  const manual = { ...freeze, manualSync: true };
  expect(closedWindow([manual], target, friday)).toBe(undefined);
  expect(closedWindow([manual], target, friday, 'argocd')).toContain('deny');
  const office = {
    kind: 'allow',
    schedule: '0 9 * * 1-5',
    duration: '8h',
    namespaces: ['*'],
    manualSync: true,
  };
  expect(closedWindow([office], target, friday)).toBe(undefined);
  expect(closedWindow([office], target, friday, 'argocd')).toContain('allow');
  expect(closedWindow([office, { ...office, manualSync: false }], target, friday)).toContain('allow');
});

const on = (destination: object) => ({ name: 'claims-production', destination });
test.each([
  [{ applications: ['claims-*'] }, on({}), true],
  [{ applications: ['{orders,claims}-production'] }, on({}), true],
  [{ applications: ['[!c]*'] }, on({}), false],
  [{ clusters: ['https://*.example*'] }, on({ server: 'https://eu.example/k8s/1' }), true],
  [{ clusters: ['in-cluster'] }, on({ name: 'in-cluster' }), true],
  [{ clusters: ['*'] }, on({}), false],
  [{ namespaces: ['*'] }, on({}), true],
  [{ namespaces: ['?*'] }, on({}), false],
  [{ applications: ['other'], namespaces: ['claims'] }, on({ namespace: 'claims' }), true],
  [
    { applications: ['other'], namespaces: ['claims'], andOperator: true },
    on({ namespace: 'claims' }),
    false,
  ],
  [
    { applications: ['*'], namespaces: ['claims'], clusters: [], andOperator: true },
    on({ namespace: 'claims' }),
    true,
  ],
  [{ andOperator: true }, on({ namespace: 'claims' }), false],
  [{}, on({ namespace: 'claims' }), false],
])('a window of %j concerns %j: %s', (lists, application, concerned) => {
  const { kind, schedule, duration } = freeze;
  expect(closedWindow([{ kind, schedule, duration, ...lists }], application, friday) !== undefined).toBe(
    concerned,
  );
});

test.each([
  ['91m', true],
  ['1h30m0.5s', true],
  ['.5h60m1s', true],
  ['5400001ms', true],
  ['1h30m', false],
  ['-90m', false],
  ['0', false],
])(
  'a duration is read as Go writes it: %s from five o’clock on holds half past six: %s',
  (duration, open) => {
    const window = { ...freeze, schedule: '0 17 * * FRI', duration };
    expect(closedWindow([window], target, friday) !== undefined).toBe(open);
  },
);

test('a day of the month and a weekday mean either, unless one of them is any', () => {
  const either = { ...freeze, schedule: '0 17 1 * FRI', duration: '2h' };
  expect(closedWindow([either], target, friday)).toContain('deny');
  expect(closedWindow([{ ...either, schedule: '0 17 1 * */1' }], target, friday)).toBe(undefined);
  expect(closedWindow([{ ...either, schedule: '0 17 1 * */5' }], target, friday)).toContain('deny');
});

test('steps, lists and names are read as cron has them', () => {
  const quarter = { ...freeze, schedule: '*/15 8,18 24-28 NOV ?', duration: '5m' };
  expect(closedWindow([quarter], target, at('2026-11-27T18:32:00Z'))).toContain('deny');
  expect(closedWindow([quarter], target, at('2026-11-27T18:36:00Z'))).toBe(undefined);
  expect(closedWindow([quarter], target, at('2026-12-27T18:32:00Z'))).toBe(undefined);
});

test('a window that lasts a year is looked at day by day: the process that asks waits for many others', () => {
  const days = vi.spyOn(Date.prototype, 'getUTCDate');
  const year = { ...freeze, schedule: '0 0 1 1 *', duration: '8760h' };
  expect(closedWindow([year], target, friday)).toContain('8760h');
  expect(closedWindow([{ ...year, duration: '1h' }], target, friday)).toBe(undefined);
  expect(days.mock.calls.length).toBeLessThan(400);
  days.mockRestore();
});
