import type { Approval, Outcome, Proposal, PullRequest } from '../../../model/promotion/promotion.ts';
import type { Release } from '../../../model/delivery/change.ts';
import { quick } from '../../activity-options.ts';
import { seen } from '../promotion-events.ts';
import type { Promotion } from '../promotion.ts';
import { awaitDecisions } from './await-decisions.ts';

/**
 * What is about to run must be what people approved: the branch may have moved under the pull request, and an Application
 * has settings of its own. It is rendered once more, and where it is something else they decide anew, on that.
 *
 * @param approved what they were asked about
 * @returns why it may not go on, if so
 */
export async function approveAnew(
  p: Promotion,
  approved: Pick<Proposal, 'authors' | 'rendered'> & { pullRequest?: PullRequest },
  { release, revision }: { release: Release; revision: string },
  approval: Approval,
): Promise<Outcome | undefined> {
  if (approval.by !== 'decisions') return undefined;
  const { environment } = p.input;
  const { renderRelease } = quick(p.attempts, p.ask.settings.queue);
  for (let { rendered: last } = approved; ;) {
    const rendered = await renderRelease({ environment, release, revision });
    seen(p, rendered);
    if (rendered.manifestsDigest === last?.manifestsDigest) return undefined;
    const refusal = await awaitDecisions(p, { ...approved, rendered }, approval);
    if (refusal) return refusal;
    last = rendered;
  }
}
