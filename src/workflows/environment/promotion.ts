import { CancellationScope, condition, sleep, workflowInfo } from '@temporalio/workflow';
import { changeName } from '../../model/delivery/change.ts';
import type { DecisionCall } from '../../model/decisions/refuse-decision.ts';
import type {
  EnvironmentInput,
  EnvironmentState,
  UnfinishedPromotion,
} from '../../model/promotion/environment.ts';
import type { Ask, Outcome, PromotionView, PullRequestReading } from '../../model/promotion/promotion.ts';
import { brings, positionOf } from '../../model/promotion/promotion-queue.ts';
import { now, type Attempts } from '../activity-options.ts';

/**
 * A promotion while it runs: what it was asked, what people see of it, and what reached it meanwhile. What changes it
 * stands in `promotion-events.ts`.
 */
export interface Promotion {
  readonly input: EnvironmentInput;
  readonly state: Readonly<EnvironmentState>;
  readonly ask: Ask;
  readonly attempts: Attempts;
  /** See `since.ts`. */
  readonly since02: boolean;
  readonly view: PromotionView;
  /** What of it is done, for the run that goes on with it when the history of this one has grown too long. */
  readonly done: Readonly<Pick<UnfinishedPromotion, 'proposal' | 'inPlace' | 'askedAt' | 'merged'>>;
  /** Why the delivery no longer wants it. */
  readonly withdrawn?: string;
  /** Whether the forge may know more of the pull request than `reading` says. */
  readonly unread: boolean;
  readonly reading?: PullRequestReading;
  /** Set while people are asked to decide. */
  readonly call?: DecisionCall;
  /** Counts what came in: decisions, news from the forge, a withdrawal. */
  readonly events: number;
  /** Tells the delivery, and whoever looks, what is going on. */
  readonly tell: (view: PromotionView) => Promise<void>;
}

export function newPromotion(
  { input, state, since02 }: Pick<Promotion, 'input' | 'state' | 'since02'>,
  { ask, view, withdrawn, call, ...done }: UnfinishedPromotion,
  tell: Promotion['tell'],
): Promotion {
  const { silence } = ask.settings;
  return {
    input,
    state,
    ask,
    attempts: { platform: input.platform, ...(silence && { silence }) },
    since02,
    view,
    done,
    ...(withdrawn !== undefined && { withdrawn }),
    ...(call && { call }),
    unread: done.proposal !== undefined,
    events: 0,
    tell,
  };
}

/** A promotion that has just begun. */
export const begun = (ask: Ask): UnfinishedPromotion => ({
  ask,
  view: { state: 'running', startedAt: now() },
});

/** The outcome that ends a promotion early. */
export const ended = <S extends Outcome['state']>(
  { view }: Promotion,
  state: S,
  reason?: string,
): Outcome & { state: S } => {
  const { waitingFor: _, ...seen } = view;
  return { ...seen, state, ...(reason !== undefined && { reason }), finishedAt: now() };
};

/** The outcome of one that its delivery does not want any more; `done` says what of it stays. */
export const withdrawal = (p: Promotion, done = ''): (Outcome & { state: 'failed' }) | undefined =>
  p.withdrawn === undefined ? undefined : ended(p, 'failed', `${p.withdrawn}${done}`);

/** A newer change that waits behind this one, and brings what it brings. */
export const newerBehind = ({ ask, state }: Promotion): Ask | undefined =>
  state.waiting.find((other) => positionOf(other) > positionOf(ask) && brings(other, ask));

export const goesInstead = ({ release }: Ask): string =>
  `${changeName(release.change)} is newer and goes instead.`;

/** The newer change that takes its place while people review it, where the environment wants that; never while they decide. */
export function replacedBy(p: Promotion): Ask | undefined {
  const { approval, whileAsked } = p.ask.settings;
  return approval.by === 'review' && whileAsked === 'replace' ? newerBehind(p) : undefined;
}

export const place = ({ input: { environment, service } }: Promotion) => ({ environment, service });

/** Thrown out of a promotion whose history has grown so long that another run goes on with it. */
export class Unfinished extends Error {}

/** What the run after this one needs to go on with it. */
export const unfinished = ({ ask, view, withdrawn, call, done }: Promotion): UnfinishedPromotion => ({
  ask,
  view,
  ...(withdrawn !== undefined && { withdrawn }),
  ...(call && { call }),
  ...done,
});

/**
 * Asks people until there is an outcome, or for so long. One timer, however often something comes in.
 *
 * @param until milliseconds since the epoch
 * @param look whether there is one now; called again whenever something came in
 * @returns what `look` returned, or `late` when the time was over first
 * @throws Unfinished
 */
export async function askPeople<T>(
  p: Promotion,
  { until, summary }: { until: number; summary: string },
  look: () => Promise<T | 'open'>,
): Promise<T | 'late'> {
  const clock = new CancellationScope();
  let late = false;
  clock
    .run(() => sleep(Math.max(1, until - Date.now()), { summary }))
    .then(
      () => (late = true),
      () => undefined,
    );
  try {
    for (;;) {
      const heard = p.events;
      const found = await look();
      if (found !== 'open') return found;
      if (p.since02 && workflowInfo().continueAsNewSuggested) throw new Unfinished();
      await condition(() => late || p.events !== heard);
      if (p.events === heard) return 'late';
    }
  } finally {
    clock.cancel();
  }
}
