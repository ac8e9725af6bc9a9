import { expect, test } from 'vitest';
import { above, allMet, interleaved, judged, over, rangeOf, side, timed } from './harness.ts';
import { text } from './text.ts';

test('a range is the median with the least and the most', () => {
  expect(rangeOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(rangeOf([10, 4, 1, 2])).toEqual({ median: 3, min: 1, max: 10 });
  expect(() => rangeOf([])).toThrow('Nothing was measured.');
});

test('both sides are measured in every round, and each comes first in turn', async () => {
  const order: string[] = [];
  let clock = 0;
  const measure = (name: string) => () => {
    order.push(name);
    return Promise.resolve((clock += 1));
  };
  const samples = await interleaved(3, { ours: measure('ours'), theirs: measure('theirs') });
  expect(order).toEqual(['ours', 'theirs', 'theirs', 'ours', 'ours', 'theirs']);
  expect(samples).toEqual({ ours: [1, 4, 5], theirs: [2, 3, 6] });
});

test('sides are compared round by round, not median by median', () => {
  expect(over([10, 300], [5, 100])).toEqual([2, 3]);
  expect(above([10, 300], [5, 100])).toEqual([5, 200]);
});

test('every round is held against a side that was measured once, and against no other number of rounds', () => {
  expect(over([10, 20, 30], [10])).toEqual([1, 2, 3]);
  expect(over([60], [10, 20, 30])).toEqual([6, 3, 2]);
  expect(() => over([1, 2, 3], [1, 2])).toThrow(
    '3 rounds of one side cannot be held against 2 of the other.',
  );
});

test('a bar is kept by the median', () => {
  expect(judged([1, 2, 9], { atMost: 2 })).toEqual({ median: 2, min: 1, max: 9, atMost: 2, met: true });
  expect(judged([1, 2, 9], { atMost: 1.9 }).met).toBe(false);
  expect(judged([1, 2, 9], { atLeast: 2 }).met).toBe(true);
  expect(judged([1, 2, 9], { atLeast: 2.1 }).met).toBe(false);
});

test('one bar that is missed is enough to say so', () => {
  const missed = { unit: 'ms', ...judged([3], { atMost: 2 }) };
  const report = { sides: {}, ratios: { plain: rangeOf([1]), met: judged([1], { atMost: 2 }) } };
  expect(allMet(report)).toBe(true);
  expect(allMet({ ...report, bounds: { missed } })).toBe(false);
});

test('time is in milliseconds', async () => {
  const ms = await timed(() => new Promise((resolve) => setTimeout(resolve, 30)));
  expect(ms).toBeGreaterThan(29);
  expect(ms).toBeLessThan(5000);
});

test('people read the median with its range, the unit, and whether the bar was met', () => {
  const report = {
    sides: { ours: side('ms', [12.345, 10, 1234.5]) },
    ratios: { 'ours / theirs': judged([0.5], { atLeast: 2 }) },
  };
  expect(text('start', report)).toBe(
    ['start', '  ours           12.3 (10 to 1235) ms', '  ours / theirs  0.5  at least 2: MISSED', ''].join(
      '\n',
    ),
  );
});
