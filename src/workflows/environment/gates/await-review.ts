import type { Outcome, PullRequest } from '../../../model/promotion/promotion.ts';
import { interference } from './interference.ts';
import { reviewAsked, show } from '../promotion-events.ts';
import { askPeople, ended, goesInstead, replacedBy, type Promotion } from '../promotion.ts';

/** Waits for a review that counts, on the very head that was opened. @returns why it may not go on, if so */
export async function awaitReview(p: Promotion, pullRequest: PullRequest): Promise<Outcome | undefined> {
  const { number, url } = pullRequest;
  const { environment } = p.input;
  await show(p, { state: 'waiting', waitingFor: `a review of pull request #${number}: ${url}` });

  const patience = { until: reviewAsked(p) + p.ask.settings.reviewWithinMs, summary: `review of #${number}` };
  const answer = await askPeople(p, patience, async () => {
    const refusal = await interference(p, pullRequest);
    if (refusal) return refusal;
    const { state, approvedBy = [], rejectedBy: [rejecter] = [] } = p.reading ?? {};
    if (rejecter !== undefined) return ended(p, 'rejected', `${rejecter} asked for changes in #${number}.`);
    if (approvedBy.length > 0) return undefined;
    if (state === 'merged') {
      return ended(
        p,
        'failed',
        `Somebody merged #${number} without a review, so ${environment} may run it. ` +
          'Revert that merge and deliver the change again, or deliver a newer one.',
      );
    }
    const newer = replacedBy(p);
    return newer ? ended(p, 'superseded', goesInstead(newer)) : 'open';
  });
  if (answer !== 'late') return answer;
  return ended(p, 'failed', `Nobody reviewed #${number} in time. Deliver the change again.`);
}
