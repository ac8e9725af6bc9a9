import type { ErrorKind } from '../client.ts';
import type { PromotionState } from '../model/promotion/promotion.ts';

/** Scripts rely on these; they stand in docs/cli.md. */
export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, unreachable: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeOfError = (kind: ErrorKind): ExitCode => exitCodes[kind];

const ofStates: Record<'pending' | PromotionState, ExitCode> = {
  pending: exitCodes.done,
  running: exitCodes.done,
  waiting: exitCodes.done,
  succeeded: exitCodes.done,
  failed: exitCodes.failed,
  rejected: exitCodes.refused,
  superseded: exitCodes.refused,
};

/** How a delivery ended, or a change in the environment that was waited for. */
export const exitCodeOfState = (state: 'pending' | PromotionState): ExitCode => ofStates[state];
