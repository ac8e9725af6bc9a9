import type { Proposal, PullRequest, Outcome } from '../../../model/promotion/promotion.ts';
import { tally } from '../../../model/decisions/quorum.ts';
import type { DecisionCall, DecisionRule } from '../../../model/decisions/refuse-decision.ts';
import { quick } from '../../activity-options.ts';
import { interference } from './interference.ts';
import { decisionsAsked, decisionsOver, seen, show } from '../promotion-events.ts';
import { askPeople, ended, place, Unfinished, withdrawal, type Promotion } from '../promotion.ts';

/**
 * Waits for the quorum on exactly what was rendered. A pull request that somebody merged by hand is still not synced
 * without it; of a change of the overlay alone, or a removal, there is none. @returns why it may not go on, if so
 */
export async function awaitDecisions(
  p: Promotion,
  { pullRequest, authors, rendered }: Pick<Proposal, 'authors' | 'rendered'> & { pullRequest?: PullRequest },
  rule: DecisionRule,
): Promise<Outcome | undefined> {
  const { change } = p.ask.release;
  const manifestsDigest = rendered?.manifestsDigest ?? '';
  const call: DecisionCall =
    p.call?.manifestsDigest === manifestsDigest
      ? p.call
      : { change, manifestsDigest, authors, askedAt: Date.now(), rule, decisions: [] };
  decisionsAsked(p, call);
  let goesOn = false;
  const patience = { until: call.askedAt + call.rule.expiresAfterMs, summary: 'decisions' };
  try {
    const answer = await askPeople(p, patience, async () => {
      const refusal = pullRequest ? await interference(p, pullRequest) : withdrawal(p);
      if (refusal) return refusal;
      if (tally(call).state === 'approved') await askWhatIsDemanded(p, call);

      const count = tally(call);
      if (count.state === 'approved') return undefined;
      if (count.state === 'rejected') {
        const { by, reason } = count.decision;
        return ended(
          p,
          'rejected',
          reason === undefined ? `${by} rejected it.` : `${by} rejected it: ${reason}`,
        );
      }
      seen(p, { decisions: call.decisions });
      await show(p, { state: 'waiting', waitingFor: `${count.missing} of ${call.rule.quorum} approvals` });
      return 'open';
    });
    if (answer !== 'late') return answer;
    return ended(p, 'failed', 'The time to decide is over. Deliver the change again.');
  } catch (error) {
    goesOn = error instanceof Unfinished;
    throw error;
  } finally {
    seen(p, { decisions: call.decisions });
    if (!goesOn) decisionsOver(p);
  }
}

/** A promotion may wait for days: what the configuration demands when the quorum is reached is what counts. */
async function askWhatIsDemanded(p: Promotion, call: DecisionCall): Promise<void> {
  const { settings } = p.ask;
  const { environment } = place(p);
  const { approval } = await quick(p.attempts, settings.queue).readSettings({ environment });
  // Less than was asked for is not taken back from those who were asked, nor is their time.
  if (approval.by !== 'decisions') return;
  const { quorum, expiresAfterMs } = call.rule;
  call.rule = { ...approval, quorum: Math.max(approval.quorum, quorum), expiresAfterMs };
}
