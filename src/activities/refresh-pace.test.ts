import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { refreshPace } from './refresh-pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** At which seconds it is time, when it is asked every second for two minutes. */
function dueSeconds(isDue: () => boolean): number[] {
  return Array.from({ length: 120 }, (_, second) => second).filter(() => {
    const due = isDue();
    vi.advanceTimersByTime(1000);
    return due;
  });
}

test('Argo CD is asked to look again at once, then less and less often, and twice a minute at last', () => {
  expect(dueSeconds(refreshPace())).toEqual([0, 2, 6, 14, 30, 60, 90]);
});

test('not before some moment, where it mostly looks by itself', () => {
  expect(dueSeconds(refreshPace(Date.now() + 1000))).toEqual([1, 3, 7, 15, 31, 61, 91]);
});
