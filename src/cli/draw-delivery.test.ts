import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Delivery } from '../model/delivery/delivery.ts';
import { drawDelivery } from './draw-delivery.ts';

const commit = '3f2a91c07e5d48b6a1f09c2e7d3b5a8046f1e2d9';
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 8) + seconds * 1000).toISOString();
const now = Date.UTC(2026, 0, 1, 8, 5, 0);

const picture = (delivery: Delivery, width = 100): string =>
  `\n${stripVTControlCharacters(drawDelivery(delivery, now, width))}\n`;

const base: Delivery = {
  change: `claims/${commit}`,
  service: 'claims',
  commit,
  subject: 'Refuse eligibility dates in the future',
  state: 'running',
  steps: [
    { name: 'verify', state: 'succeeded', startedAt: at(0), finishedAt: at(0.3) },
    { name: 'test', state: 'succeeded', startedAt: at(1), finishedAt: at(13.1) },
    { name: 'build', state: 'running', startedAt: at(250) },
    { name: 'dev', state: 'pending' },
    { name: 'staging', state: 'pending' },
    { name: 'production', state: 'pending' },
  ],
  environments: {},
};

test('a running delivery shows what is done, how long it took, and what is to come', () => {
  expect(picture(base)).toBe(`
claims/3f2a91c07e  Refuse eligibility dates in the future

  ✔ verify        0.3 s
  ✔ test         12.1 s
  ▶ build        50.0 s
  ○ dev
  ○ staging
  ○ production

  running
`);
});

test('a change of overlays alone says that nothing is built', () => {
  const steps = base.steps.filter(({ name }) => ['verify', 'production'].includes(name));
  expect(picture({ ...base, steps, overlaysOnly: true })).toBe(`
claims/3f2a91c07e  Refuse eligibility dates in the future
Only overlays change: nothing is built, and what is released stays.

  ✔ verify        0.3 s
  ○ production

  running
`);
});

test('a running step shows what it waits for, or why it is tried again', () => {
  const steps = base.steps.map((step) =>
    step.name === 'build'
      ? { ...step, progress: 'tried 2 times, and again soon: The registry is away.' }
      : step,
  );
  expect(picture({ ...base, steps })).toContain(
    '▶ build        50.0 s  tried 2 times, and again soon: The registry is away.',
  );
});

test('what keeps a change from going on stands below it, and where it says more', () => {
  const problem = {
    kind: 'no-worker',
    queue: 'brainsait-rcm/build',
    since: at(240),
    message: 'Nobody serves brainsait-rcm/build. Start a worker: gitops worker --queues build',
    runbook: 'docs/runbooks/delivery-stuck.md',
  } as const;
  expect(picture({ ...base, problems: [problem] })).toMatch(
    `
  running
  ! For 1m 00s: Nobody serves brainsait-rcm/build. Start a worker: gitops worker --queues build
    → docs/runbooks/delivery-stuck.md
`,
  );
  expect(picture({ ...base, steps: [], problems: [problem] })).toBe(`
claims/3f2a91c07e  Refuse eligibility dates in the future

  running
  ! For 1m 00s: Nobody serves brainsait-rcm/build. Start a worker: gitops worker --queues build
    → docs/runbooks/delivery-stuck.md
`);
});

test('a change that waits for people shows what they decide on and how', () => {
  const delivery: Delivery = {
    ...base,
    state: 'waiting',
    waitingFor: '1 of 2 approvals',
    image: { reference: 'localhost:5000/team/claims@sha256:9f86d08', digest: 'sha256:9f86d08' },
    steps: [
      { name: 'build', state: 'succeeded', startedAt: at(0), finishedAt: at(31) },
      { name: 'dev', state: 'succeeded', startedAt: at(31), finishedAt: at(40) },
      { name: 'production', state: 'waiting', startedAt: at(60) },
    ],
    environments: {
      dev: { state: 'succeeded', sync: 'Synced', health: 'Healthy', revision: '8c1d2e3f4a5b6c7d' },
      production: {
        state: 'waiting',
        waitingFor: '1 of 2 approvals',
        manifestsDigest: 'sha256:abc',
        summary: '2 changed, 1 removed: Deployment/claims',
        pullRequest: { number: 8, url: 'https://forge/pulls/8', head: 'h' },
        decisions: [
          {
            verdict: 'approve',
            by: 'board-1',
            reason: 'looks good',
            at: at(70),
            manifestsDigest: 'sha256:abc',
          },
        ],
      },
    },
  };
  expect(picture(delivery)).toBe(`
claims/3f2a91c07e  Refuse eligibility dates in the future

  ✔ build        31.0 s  localhost:5000/team/claims@sha256:9f86d08
  ✔ dev           9.0 s  Synced, Healthy then, revision 8c1d2e3f4a
  ⏸ production   4m 00s  waiting for 1 of 2 approvals
                         https://forge/pulls/8
                         2 changed, 1 removed: Deployment/claims
                         ✔ approved by board-1: looks good
                         gitops approve claims/3f2a91c07e --environment production

  waiting for 1 of 2 approvals
`);
});

test('a failed step shows where its log is, and how that ends, broken to the width of the terminal', () => {
  const error = 'The tests failed. The log: logs/claims/test.log';
  const logEnd = `2 tests failed\n\u001b[31mtest_eligibility\u001b[0m: expected 422 but the service answered 200 OK to it`;
  const delivery: Delivery = {
    ...base,
    state: 'failed',
    reason: error,
    steps: [
      {
        name: 'test',
        state: 'failed',
        startedAt: at(0),
        finishedAt: at(12),
        error,
        log: 'logs/claims/test.log',
        logEnd,
      },
      { name: 'dev', state: 'pending' },
    ],
  };
  expect(picture(delivery, 60)).toBe(`
claims/3f2a91c07e  Refuse eligibility dates in the future

  ✖ test   12.0 s  The tests failed. The log:
                   logs/claims/test.log
                   The log ends:
                   2 tests failed
                   test_eligibility: expected 422 but the
                   service answered 200 OK to it
                   gitops logs claims/3f2a91c07e --step test
  ○ dev

  failed. Deliver a fix, or start it again: gitops retry claims/3f2a91c07e
`);
});

test('text that others wrote cannot move the cursor', () => {
  const delivery = { ...base, subject: 'fix\u001b[2J\u001b]0;title\u0007\r\u202ecod' };
  expect(picture(delivery).split('\n')[1]).toBe('claims/3f2a91c07e  fixcod');
  for (const sequence of ['\u001b[2J', '\u001b]', '\r', '\u202e']) {
    expect(drawDelivery(delivery, now, 100)).not.toContain(sequence);
  }
});
