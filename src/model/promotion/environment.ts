import type { Change } from '../delivery/change.ts';
import type { DecisionCall } from '../decisions/refuse-decision.ts';
import type { Ask, Deployed, InPlace, Outcome, PromotionView, Proposal } from './promotion.ts';

/** What an environment knows of a service beyond any one promotion; kept in the object store too. */
export interface EnvironmentMemory {
  current?: Deployed;
  /** What to return to: it was healthy, and passed its end-to-end test. Argo CD's own history holds all syncs. */
  lastHealthy?: Deployed;
}

/** Type of the failure of an activity that the configuration knows no such environment. */
export const unknownEnvironment = 'UnknownEnvironment';

/** An environment's whole state, carried from run to run. */
export interface EnvironmentState extends EnvironmentMemory {
  waiting: Ask[];
  /** Ended asks with their answers, newest last, bounded: who asks again, or too late, is told again. */
  answered: { askId: string; change: Change; position: number; outcome: Outcome }[];
  /** What this run goes on with. */
  unfinished?: UnfinishedPromotion;
  /** Whether the memory in the object store may be older than this. */
  unstored?: boolean;
  /** Whether it is not known yet what runs: then this run begins with finding that out. */
  unrecalled?: boolean;
}

/** A promotion as far as it has come. */
export interface UnfinishedPromotion {
  ask: Ask;
  view: PromotionView;
  /** Why its delivery no longer wants it. */
  withdrawn?: string;
  proposal?: Proposal;
  inPlace?: InPlace;
  /** Since when people are asked to review, in milliseconds since the epoch. */
  askedAt?: number;
  /** What people are asked to decide, and have decided so far. */
  call?: DecisionCall;
  /** Commit that the pull request became. */
  merged?: string;
}

export interface EnvironmentInput {
  platform: string;
  environment: string;
  service: string;
  /** Absent on the very first run, and after somebody terminated it: then it recalls what it can. */
  carried?: EnvironmentState;
}

/** The query `status` of an environment. */
export interface EnvironmentView extends EnvironmentMemory {
  environment: string;
  service: string;
  active?: { askId: string; change: Change; position: number; view: PromotionView };
  waiting: { askId: string; change: Change; position: number }[];
  recent: { change: Change; outcome: Outcome }[];
}
