import { expect, test } from 'vitest';
import type { Delivery } from '../model/delivery/delivery.ts';
import { deliveryLines } from './delivery-lines.ts';

const now = new Date('2026-01-01T08:00:00Z');
const delivery = (what: Partial<Delivery>): Delivery => ({
  change: `claims/${'3f'.repeat(20)}`,
  service: 'claims',
  commit: '3f'.repeat(20),
  state: 'running',
  steps: [],
  environments: {},
  ...what,
});

test('a log gets a line for each change of state, and none when nothing changed', () => {
  const first = delivery({ steps: [{ name: 'test', state: 'running', startedAt: '2026-01-01T07:59:00Z' }] });
  expect(deliveryLines(undefined, first, now)).toEqual([
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f test running',
  ]);
  expect(deliveryLines(first, first, now)).toEqual([]);

  const second = delivery({
    state: 'waiting',
    steps: [
      {
        name: 'test',
        state: 'succeeded',
        startedAt: '2026-01-01T07:59:00Z',
        finishedAt: '2026-01-01T07:59:09Z',
      },
      { name: 'staging', state: 'waiting' },
    ],
    environments: { staging: { state: 'waiting', waitingFor: 'a review of pull request #7' } },
  });
  expect(deliveryLines(first, second, now)).toEqual([
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f test succeeded in 9.0 s',
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f staging waiting for a review of pull request #7',
  ]);
});

test('an environment that is called as a step is not taken for it', () => {
  const own = { name: 'test', state: 'succeeded' } as const;
  const before = delivery({ steps: [own, { name: 'test', state: 'pending' }] });
  const after = delivery({
    steps: [own, { name: 'test', state: 'waiting' }],
    environments: { test: { state: 'waiting', waitingFor: 'a review of pull request #7' } },
  });
  expect(deliveryLines(before, after, now)).toEqual([
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f test waiting for a review of pull request #7',
  ]);
});

test('a log hears what a running step waits for, once', () => {
  const step = { name: 'dev', state: 'running' } as const;
  const before = delivery({ steps: [step] });
  const after = delivery({ steps: [{ ...step, progress: 'waits for health (Progressing)' }] });
  expect(deliveryLines(before, after, now)).toEqual([
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f dev running: waits for health (Progressing)',
  ]);
  expect(deliveryLines(after, after, now)).toEqual([]);
});

test('an error of several lines cannot give a CI system commands', () => {
  const failed = delivery({
    state: 'failed',
    reason: 'no',
    steps: [
      {
        name: 'test',
        state: 'failed',
        error: 'no\n::add-mask::x',
        log: 'logs/x.log',
        logEnd: '::stop-commands::x',
      },
    ],
  });
  expect(deliveryLines(undefined, failed, now).join('\n').split('\n')).toEqual([
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f test failed: no',
    '  | ::add-mask::x',
    '  | The log ends:',
    '  | ::stop-commands::x',
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f failed: no',
  ]);
});

test('where the end of a log cannot be shown, how to see it is', () => {
  const step = { name: 'test', state: 'failed', error: 'no', log: 'logs/x.log' } as const;
  const failed = delivery({ state: 'failed', reason: 'no', steps: [step] });
  expect(deliveryLines(undefined, failed, now).at(-1)).toBe(
    '2026-01-01T08:00:00.000Z claims/3f3f3f3f3f See its log: gitops logs claims/3f3f3f3f3f --step test',
  );
});

test.each([
  'Nobody serves rcm/build. Start a worker: gitops worker --queues build',
  'Workers begin the next step of rcm/poll and never finish it.',
])('a log hears once what keeps a change from going on: %s', (message) => {
  const problem = { kind: 'no-worker', message, runbook: 'docs/runbooks/delivery-stuck.md' } as const;
  const sentence = message.replace(/\.$/, '');
  const [before, after] = [delivery({}), delivery({ problems: [problem] })];
  expect(deliveryLines(before, after, now)).toEqual([
    `2026-01-01T08:00:00.000Z claims/3f3f3f3f3f ${sentence}. See docs/runbooks/delivery-stuck.md.`,
  ]);
  expect(deliveryLines(after, after, now)).toEqual([]);
});
