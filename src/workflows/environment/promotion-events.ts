import type { Decision } from '../../model/decisions/decision.ts';
import type { DecisionCall } from '../../model/decisions/refuse-decision.ts';
import type { EnvironmentState } from '../../model/promotion/environment.ts';
import type {
  Ask,
  Deployed,
  InPlace,
  PromotionView,
  Proposal,
  PullRequestReading,
} from '../../model/promotion/promotion.ts';
import type { Promotion } from './promotion.ts';

// What can happen to a promotion. Nothing else changes one.

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };
type Open = Changing<Omit<Promotion, 'state' | 'done'>> & {
  state: EnvironmentState;
  done: Changing<Promotion['done']>;
};

// What comes in from outside; people's acts wake whoever waits for them.

/** By its delivery, which may have another run by now. */
export function askedAgain(p: Open, asker: Ask['asker']): void {
  p.ask.asker = asker;
}

export function withdrawn(p: Open, reason: string): void {
  p.withdrawn = reason;
  p.events += 1;
}

/** One that is being opened has no number here yet. */
export function pullRequestMoved(p: Open, number: number): void {
  if ((p.view.pullRequest?.number ?? number) !== number) return;
  p.unread = true;
  p.events += 1;
}

/** Before it gives way its pull request is read again: somebody may have reviewed or merged it this very moment. */
export function newerCame(p: Open): void {
  p.unread = true;
  p.events += 1;
}

export function decided(p: Open, call: DecisionCall, decision: Decision): void {
  call.decisions.push(decision);
  p.events += 1;
}

// What it does itself, in this order.

export function seen(p: Open, news: Partial<PromotionView>): void {
  p.view = { ...p.view, ...news };
}

/** As `seen`, and told at once. */
export async function show(p: Open, news: Partial<PromotionView>): Promise<void> {
  seen(p, news);
  await p.tell(p.view);
}

export function proposed(p: Open, proposal: Proposal): void {
  p.done.proposal = proposal;
  p.reading = proposal.reading;
  seen(p, { pullRequest: proposal.pullRequest, ...proposal.rendered });
}

export function overlayFound(p: Open, inPlace: InPlace): void {
  p.done.inPlace = inPlace;
  seen(p, { ...inPlace.rendered });
}

/** What the forge says of the pull request from here on is news. */
export function pullRequestIsRead(p: Open): void {
  p.unread = false;
}

export function pullRequestWasRead(p: Open, reading: PullRequestReading): void {
  p.reading = reading;
}

/** @returns since when, in milliseconds since the epoch: another run may have asked */
export function reviewAsked(p: Open): number {
  p.done.askedAt ??= Date.now();
  return p.done.askedAt;
}

export function decisionsAsked(p: Open, call: DecisionCall): void {
  p.call = call;
  const { decisions = [], voided = [] } = p.view;
  const others = decisions.filter(({ manifestsDigest }) => manifestsDigest !== call.manifestsDigest);
  seen(p, {
    askedAt: new Date(call.askedAt).toISOString(),
    ...(others.length > 0 && { voided: [...voided, ...others] }),
  });
}

export function decisionsOver(p: Open): void {
  delete p.call;
}

export function merged(p: Open, revision: string): void {
  p.done.merged = revision;
}

export function inPlace(p: Open, deployed: Deployed): void {
  p.state.current = deployed;
}

/** The service is here no more. */
export function removed(p: Open): void {
  delete p.state.current;
  delete p.state.lastHealthy;
}

export function foundHealthy(p: Open, deployed: Deployed): void {
  p.state.lastHealthy = deployed;
}
