import { expect, test } from 'vitest';
import { olderOf, type Deployed } from './promotion.ts';

const at = (position: number): Deployed => {
  const commit = `${position}`.repeat(40);
  return { change: { service: 'api', commit }, position, revision: commit, at: '2026-01-01T00:00:00Z' };
};

test('commits count since the older of what runs and what was promoted last, whichever that is', () => {
  expect(olderOf(at(1), at(2))).toEqual(at(1));
  expect(olderOf(at(2), at(1))).toEqual(at(1));
  expect(olderOf(at(1), undefined)).toEqual(at(1));
  expect(olderOf(undefined, at(2))).toEqual(at(2));
  expect(olderOf()).toBeUndefined();
});
