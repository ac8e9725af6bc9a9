import type { Decision } from './decision.ts';
import type { DecisionCall } from './refuse-decision.ts';

export type Tally =
  { state: 'approved' } | { state: 'rejected'; decision: Decision } | { state: 'open'; missing: number };

/** One reject is final; otherwise as many distinct people as the quorum says, of those who may decide. */
export function tally({ decisions, rule }: DecisionCall): Tally {
  const decision = decisions.find(({ verdict }) => verdict === 'reject');
  if (decision) return { state: 'rejected', decision };
  const approvers = new Set(decisions.map(({ by }) => by).filter((by) => rule.deciders.includes(by)));
  const missing = rule.quorum - approvers.size;
  return missing > 0 ? { state: 'open', missing } : { state: 'approved' };
}
