import { changeName, type Change } from '../delivery/change.ts';
import type { Approval } from '../promotion/promotion.ts';
import type { Decision, DecisionRequest } from './decision.ts';

export type DecisionRule = Extract<Approval, { by: 'decisions' }>;

/** What people were asked to decide on. */
export interface DecisionCall {
  change: Change;
  manifestsDigest: string;
  /** People whose commits the change carries: none of them decides (four eyes). */
  authors: string[];
  /** Milliseconds since the epoch. */
  askedAt: number;
  rule: DecisionRule;
  decisions: Decision[];
}

/** Why a decision cannot be taken, in words for the one who made it; undefined when it can. */
export function refuseDecision(
  call: DecisionCall | undefined,
  request: DecisionRequest,
  now: number,
): string | undefined {
  if (!call) return `${changeName(request.change)} waits for no decision here.`;
  if (changeName(request.change) !== changeName(call.change)) {
    return `The decision is for ${changeName(request.change)}, but ${changeName(call.change)} is what waits for one.`;
  }
  if (request.manifestsDigest !== undefined && request.manifestsDigest !== call.manifestsDigest) {
    return `The manifests have changed since they were shown to you. Look at the new diff, then decide again.`;
  }
  if (now >= call.askedAt + call.rule.expiresAfterMs)
    return 'The time to decide is over. Deliver the change again.';
  if (!call.rule.deciders.includes(request.by)) {
    return `${request.by} may not decide here. Who may: ${call.rule.deciders.join(', ')}.`;
  }
  if (call.authors.includes(request.by)) {
    return `${request.by} wrote a commit of this change, so somebody else has to decide.`;
  }
  if (call.decisions.some((decision) => decision.by === request.by))
    return `${request.by} has decided already.`;
  if (call.decisions.some((decision) => decision.verdict === 'reject'))
    return 'The change was rejected; that is final.';
  return undefined;
}
