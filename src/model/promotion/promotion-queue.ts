import type { Ask } from './promotion.ts';

export const positionOf = (ask: Ask): number => ask.release.source.position;

/** Whether `a` is to run before `b`: the newer change, and of one change the later ask (it lies behind in `asks`). */
const runsBefore = (a: Ask, b: Ask): boolean => positionOf(a) >= positionOf(b);

/**
 * Whether `a` brings all that `b` would. A release comes with the overlay as the branch has it by then; a change of the
 * overlay alone brings no release.
 */
export const brings = (a: Ask, b: Ask): boolean =>
  runsBefore(a, b) && (a.onto === undefined || b.onto !== undefined);

/** Of the asks that wait, the newest release runs next, else the newest change of the overlay; what that brings is superseded. */
export function takeNext(
  waiting: readonly Ask[],
): { next: Ask; superseded: Ask[] } | { next: undefined; superseded: [] } {
  const releases = waiting.filter(({ onto }) => onto === undefined);
  const [first, ...rest] = releases.length > 0 ? releases : waiting;
  if (!first) return { next: undefined, superseded: [] };
  const next = rest.reduce((best, ask) => (runsBefore(ask, best) ? ask : best), first);
  return { next, superseded: waiting.filter((ask) => ask !== next && brings(next, ask)) };
}
