import type { ErrorKind } from '../client.ts';
import type { PromotionState } from '../model/promotion.ts';

/** Scripts rely on these; they stand in docs/cli.md. */
export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, unreachable: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeOfError = (kind: ErrorKind): ExitCode => exitCodes[kind];

/** How a delivery ended, or a change in the environment that was waited for. */
export function exitCodeOfState(state: 'pending' | PromotionState): ExitCode {
  switch (state) {
    case 'rejected':
    case 'superseded':
      return exitCodes.refused;
    case 'failed':
    case 'rolled-back':
      return exitCodes.failed;
    default:
      return exitCodes.done;
  }
}
