import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { PullRequestReading } from '../../activities/contract.ts';
import type { DecisionCall } from '../../model/decisions/refuse-decision.ts';
import type { EnvironmentInput, EnvironmentState } from '../../model/promotion/environment.ts';
import type { Ask, Outcome, PromotionView } from '../../model/promotion/promotion.ts';
import { positionOf } from '../../model/promotion/promotion-queue.ts';
import { now } from '../activity-options.ts';

/** A promotion while it runs: what it was asked, what people see of it, and what reached it meanwhile. */
export interface Promotion {
  readonly input: EnvironmentInput;
  readonly state: EnvironmentState;
  readonly ask: Ask;
  view: PromotionView;
  /** Why the delivery no longer wants it. */
  withdrawn?: string;
  /** Counts what came in: decisions, news from the forge, a withdrawal. */
  events: number;
  /** Whether the forge may know more of the pull request than `reading` says. */
  unread: boolean;
  reading?: PullRequestReading;
  /** Set while people are asked to decide. */
  call?: DecisionCall;
  /** Tells the delivery, and whoever looks, what is going on. */
  show(view: Partial<PromotionView>): Promise<void>;
}

export function newPromotion(
  input: EnvironmentInput,
  state: EnvironmentState,
  ask: Ask,
  tell: (view: PromotionView) => Promise<void>,
): Promotion {
  return {
    input,
    state,
    ask,
    view: { state: 'running', startedAt: now() },
    events: 0,
    unread: false,
    async show(view) {
      this.view = { ...this.view, ...view };
      await tell(this.view);
    },
  };
}

/** The outcome that ends a promotion early. */
export const ended = ({ view }: Promotion, state: Outcome['state'], reason?: string): Outcome => {
  const { waitingFor: _, ...seen } = view;
  return { ...seen, state, ...(reason !== undefined && { reason }), finishedAt: now() };
};

/** The outcome of one that its delivery does not want any more; `done` says what of it stays. */
export const withdrawal = (p: Promotion, done = ''): Outcome | undefined =>
  p.withdrawn === undefined ? undefined : ended(p, 'failed', `${p.withdrawn}${done}`);

/** A newer change that waits behind this one. */
export const newerBehind = ({ ask, state }: Promotion): Ask | undefined =>
  state.waiting.find((other) => positionOf(other) > positionOf(ask));

export const place = ({ input: { environment, service } }: Promotion) => ({ environment, service });

/**
 * Asks people until there is an outcome, or for so long. One timer, however often something comes in.
 *
 * @param look whether there is one now; called again whenever something came in
 * @returns what `look` returned, or `late` when the time was over first
 */
export async function askPeople<T>(
  p: Promotion,
  { withinMs, summary }: { withinMs: number; summary: string },
  look: () => Promise<T | 'open'>,
): Promise<T | 'late'> {
  const clock = new CancellationScope();
  let late = false;
  clock
    .run(() => sleep(withinMs, { summary }))
    .then(
      () => (late = true),
      () => undefined,
    );
  try {
    for (;;) {
      const heard = p.events;
      const found = await look();
      if (found !== 'open') return found;
      await condition(() => late || p.events !== heard);
      if (p.events === heard) return 'late';
    }
  } finally {
    clock.cancel();
  }
}
