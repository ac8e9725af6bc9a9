import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refuseDecision, type DecisionCall } from './refuse-decision.ts';
import { tally } from './quorum.ts';
import type { Decision, DecisionRequest } from './decision.ts';

const day = 86_400_000;
const change = { service: 'claims', commit: 'a'.repeat(40) };
const decided = (by: string, verdict: Decision['verdict'] = 'approve'): Decision => ({
  verdict,
  by,
  at: '2026-01-01T00:00:00Z',
  manifestsDigest: 'sha256:shown',
});
const call = (more: Partial<DecisionCall> = {}): DecisionCall => ({
  change,
  manifestsDigest: 'sha256:shown',
  authors: ['developer', 'pair'],
  askedAt: 0,
  rule: {
    by: 'decisions',
    quorum: 2,
    expiresAfterMs: day,
    deciders: ['board-1', 'board-2', 'board-3', 'pair'],
  },
  decisions: [],
  ...more,
});
const request = (more: Partial<DecisionRequest> = {}): DecisionRequest => ({
  change,
  verdict: 'approve',
  by: 'board-1',
  ...more,
});

test('one of those who decide may, on what was shown, while there is time', () => {
  expect(refuseDecision(call(), request(), day - 1)).toBeUndefined();
  expect(refuseDecision(call(), request({ manifestsDigest: 'sha256:shown' }), 0)).toBeUndefined();
});

test.each<[string, DecisionCall | undefined, Partial<DecisionRequest>, number, RegExp]>([
  ['before it is asked for', undefined, {}, 0, /^claims\/a{40} waits for no decision here\.$/],
  [
    'for another commit',
    call(),
    { change: { service: 'claims', commit: 'b'.repeat(40) } },
    0,
    /^The decision is for claims\/b{40}, but claims\/a{40} is what waits for one\.$/,
  ],
  ['for another service', call(), { change: { ...change, service: 'web' } }, 0, /^The decision is for web\//],
  [
    'on other manifests',
    call(),
    { manifestsDigest: 'sha256:other' },
    0,
    /Look at the new diff, then decide again/,
  ],
  ['at the end of its time', call(), {}, day, /^The time to decide is over\. Deliver the change again\.$/],
  ['long after', call(), {}, 30 * day, /^The time to decide is over/],
  ['by a stranger', call(), { by: 'stranger' }, 0, /^stranger may not decide here\. Who may: board-1, /],
  ['by somebody of another case', call(), { by: 'Board-1' }, 0, /may not decide here/],
  [
    'by an author',
    call({ authors: ['board-1'] }),
    {},
    0,
    /^board-1 wrote a commit of this change, so somebody else/,
  ],
  ['by a co-author', call(), { by: 'pair' }, 0, /^pair wrote a commit of this change/],
  [
    'twice by one person',
    call({ decisions: [decided('board-1')] }),
    {},
    0,
    /^board-1 has decided already\.$/,
  ],
  [
    'by one who changed their mind',
    call({ decisions: [decided('board-1')] }),
    { verdict: 'reject' },
    0,
    /^board-1 has decided already\.$/,
  ],
  [
    'after a rejection',
    call({ decisions: [decided('board-2', 'reject')] }),
    {},
    0,
    /^The change was rejected; that is final\.$/,
  ],
])('a decision %s is refused', (_, asked, more, now, why) => {
  expect(refuseDecision(asked, request(more), now)).toMatch(why);
});

test('whatever people try, nothing is approved but by a quorum of different people who may and wrote none of it', () => {
  const people = ['board-1', 'board-2', 'board-3', 'pair', 'developer', 'stranger', '__proto__'];
  const attempt = fc.record({
    by: fc.constantFrom(...people),
    verdict: fc.constantFrom<Decision['verdict'][]>('approve', 'approve', 'approve', 'reject'),
    manifestsDigest: fc.constantFrom('sha256:shown', 'sha256:shown', 'sha256:other'),
    now: fc.integer({ min: 0, max: day + 10 }),
  });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (attempts, quorum) => {
      const asked = call({ rule: { ...call().rule, quorum } });
      for (const { by, verdict, manifestsDigest, now } of attempts) {
        const refused = refuseDecision(asked, request({ by, verdict, manifestsDigest }), now);
        if (refused === undefined) asked.decisions.push(decided(by, verdict));
      }
      const approvers = asked.decisions.filter(({ verdict }) => verdict === 'approve').map(({ by }) => by);
      expect(new Set(approvers).size).toBe(approvers.length);
      for (const by of approvers) expect(['board-1', 'board-2', 'board-3']).toContain(by);
      const rejected = asked.decisions.some(({ verdict }) => verdict === 'reject');
      const state = rejected ? 'rejected' : approvers.length >= quorum ? 'approved' : 'open';
      expect(tally(asked).state).toBe(state);
    }),
  );
});

test('who may decide no more does not count, and a quorum that was raised asks for more', () => {
  const decisions = [decided('board-1'), decided('board-2')];
  expect(tally(call({ decisions })).state).toBe('approved');
  const fewer = { ...call().rule, deciders: ['board-2', 'board-3'] };
  expect(tally(call({ decisions, rule: fewer }))).toEqual({ state: 'open', missing: 1 });
  expect(tally(call({ decisions, rule: { ...call().rule, quorum: 3 } }))).toEqual({
    state: 'open',
    missing: 1,
  });
});
