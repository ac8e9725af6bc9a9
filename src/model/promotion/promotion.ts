import type { Change, Release } from '../delivery/change.ts';
import type { Silence } from '../temporal/silence.ts';
import type { Queue } from '../temporal/task-queues.ts';
import type { Live } from './drift.ts';
import type { Decision } from '../decisions/decision.ts';

/** How one environment takes one service's changes: what the configuration said when the change was asked for. */
export interface PromotionSettings {
  /** `overlay`: a change of people's overlay alone, which is on the branch already; nothing is written. */
  entersBy: 'push' | 'pull-request' | 'overlay';
  approval: Approval;
  /** `manual`: Argo CD does not sync by itself, the promotion does, at exactly its revision. */
  sync: 'automated' | 'manual';
  /** Whether an end-to-end test follows once healthy. */
  endToEnd: boolean;
  /** Not read any more, but demanded by workers of 0.1, which may still run beside these; see `since.ts` in workflows. */
  endToEndWithinMs?: number;
  /** How long from the release's commit until synced and healthy. */
  healthyWithinMs: number;
  /** How long people may take to review. */
  reviewWithinMs: number;
  /** What a newer change does while a review is waited for; asks of 0.2 do not say, and their promotions let it wait. */
  whileAsked?: 'wait' | 'replace';
  /** Which workers may change this environment. */
  queue: Extract<Queue, 'delivery' | 'production'>;
  /** Where the configuration has another than the usual one. */
  silence?: Silence;
}

/** Who lets a change in: nobody in particular, a forge review, or decisions. */
export type Approval =
  | { by: 'none' }
  | { by: 'review' }
  | {
      by: 'decisions';
      quorum: number;
      /** How long after they were asked for. */
      expiresAfterMs: number;
      /** People (keys of `people`) who may decide here. */
      deciders: string[];
    };

/** One delivery's request that a release enter one environment. */
export interface Ask {
  /** `<originalExecutionRunId of the delivery>`: new for each delivery, kept by a reset. */
  id: string;
  /** Where the answer goes, and who must still be open for an effect to happen: the delivery that began with this run. */
  asker: { workflowId: string; runId: string };
  release: Release;
  /** The release that stays, where the change is of the overlay alone: another there, and it is not what was asked for. */
  onto?: Change;
  settings: PromotionSettings;
}

export const underWayStates = ['running', 'waiting'] as const;
export const outcomeStates = ['succeeded', 'failed', 'rejected', 'superseded'] as const;
export const promotionStates = [...underWayStates, ...outcomeStates] as const;
export type PromotionState = (typeof promotionStates)[number];

/** Whether a promotion, a delivery or a step of it has begun and not ended. */
export const isUnderWay = ({ state }: { state?: string | undefined }): boolean =>
  underWayStates.some((one) => one === state);

export interface PullRequest {
  number: number;
  url: string;
  /** Commit that was reviewed or decided on; a merge is pinned to it. */
  head: string;
}

/** What a person sees of one environment of one change. */
export interface PromotionView {
  state: 'pending' | PromotionState;
  /** What it waits for, in words: `a review of pull request #7`. */
  waitingFor?: string;
  /** The newer change that waits behind it while people are asked. */
  behind?: string;
  /** What went wrong, or what another change did to it. */
  reason?: string;
  /** Keys of the logs, in the object store, that `reason` names. */
  logs?: string[];
  /** Git commit whose manifests were synced. */
  revision?: string;
  imageDigest?: string;
  health?: string;
  sync?: string;
  pullRequest?: PullRequest;
  /** Since when decisions are asked for, or were; ISO 8601. */
  askedAt?: string;
  /** Digest of what was or is to be approved. */
  manifestsDigest?: string;
  /** Where the rendered diff lies in the object store. */
  diff?: string;
  /** What that diff holds, in a line or a few. */
  summary?: string;
  decisions?: Decision[];
  /** Decisions that count no more: the manifests on which they were made are not what the merge became. */
  voided?: Decision[];
  startedAt?: string;
  finishedAt?: string;
  /** What is there now, where it got in. Only a status that was just asked for has it. */
  live?: Live & {
    /** What was promoted there since. */
    change?: string;
  };
}

/** What a pull request proposes to people. */
export interface Proposal {
  pullRequest: PullRequest;
  /** Git tree of `release/`. */
  tree: string;
  /** People (keys of `people`, else e-mails) whose commits it carries since what runs: none of them may approve. */
  authors: string[];
  /** As it was a moment after it was opened. */
  reading: PullRequestReading;
  /** Where decisions are asked for. */
  rendered?: Rendered;
}

/** What a change of the overlay alone goes onto. */
export interface InPlace {
  /** What is released there, and stays. */
  released: Released;
  /** Git tree of `release/`. */
  tree: string;
  /** Commit of the protected branch that holds both: its tip, when it was looked at. */
  revision: string;
  /** As a proposal has them. */
  authors: string[];
  /** Where decisions are asked for. */
  rendered?: Rendered;
}

/** What an environment would run. */
export interface Rendered {
  manifestsDigest: string;
  /** Key of the diff against what it runs. */
  diff: string;
  summary: string;
}

/** A pull request as the forge has it now; only reviews that count, on the very head we opened, are in it. */
export interface PullRequestReading {
  state: 'open' | 'merged' | 'closed';
  /** Set when its head or base is not what we opened. */
  edited?: string;
  /** Merge commit on the protected branch. */
  revision?: string;
  /** Forge logins. */
  approvedBy: string[];
  rejectedBy: string[];
}

/** How a promotion ended. Never thrown: an environment lives on. */
export interface Outcome extends PromotionView {
  state: (typeof outcomeStates)[number];
}

/** The environment's answer to an ask, a signal. */
export interface Answer {
  askId: string;
  environment: string;
  outcome: Outcome;
}

/** News of a promotion for the delivery that asked. */
export interface Progress {
  askId: string;
  environment: string;
  view: PromotionView;
}

/** What lies in an environment's `release/`. */
export interface Released {
  change: Change;
  position: number;
  image?: { name: string; digest: string };
}

/** What runs in an environment as far as this program brought it there or found it there. */
export interface Deployed extends Released {
  revision: string;
  /** As `Source` has it. */
  manifests?: string;
  /** A younger change that brought no more than its overlay. */
  overlay?: { commit: string; position: number };
  /** ISO 8601 */
  at: string;
}

/**
 * A cluster may run something else than what was promoted last: it was recreated, or synced by hand. Nobody's commit
 * since either may go unseen.
 */
export const olderOf = (running?: Deployed, current?: Deployed): Deployed | undefined =>
  running && current && current.position < running.position ? current : (running ?? current);
