import type { Ask } from './promotion.ts';

export const positionOf = (ask: Ask): number => ask.release.source.position;

/** Whether `a` is to run before `b`: the newer change, and of one change the later ask (it lies behind in `asks`). */
const runsBefore = (a: Ask, b: Ask): boolean => positionOf(a) >= positionOf(b);

/** Of the asks that wait, the newest change runs next; the others are superseded by it. */
export function takeNext(
  waiting: readonly Ask[],
): { next: Ask; superseded: Ask[] } | { next: undefined; superseded: [] } {
  const [first, ...rest] = waiting;
  if (!first) return { next: undefined, superseded: [] };
  const next = rest.reduce((best, ask) => (runsBefore(ask, best) ? ask : best), first);
  return { next, superseded: waiting.filter((ask) => ask !== next) };
}
