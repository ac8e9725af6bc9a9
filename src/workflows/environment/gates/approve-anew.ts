import type { Approval, Outcome, Proposal, PullRequest } from '../../../model/promotion/promotion.ts';
import type { Release } from '../../../model/delivery/change.ts';
import { quick } from '../../activity-options.ts';
import { seen } from '../promotion-events.ts';
import type { Promotion } from '../promotion.ts';
import { awaitDecisions } from './await-decisions.ts';

/**
 * What is about to run must be what people approved: the branch may have moved under the pull request, and an Application
 * has settings of its own. It is rendered once more, and where it is something else they decide anew, on that; not those
 * whose commits it carries by now.
 *
 * @param proposal what they were asked about
 * @returns what they have approved by now, or why it may not go on
 */
export async function approveAnew(
  p: Promotion,
  { rendered: first, ...proposal }: Pick<Proposal, 'authors' | 'rendered'> & { pullRequest?: PullRequest },
  { release, revision }: { release: Release; revision: string },
  asked: Approval,
): Promise<Outcome | Pick<Proposal, 'rendered'>> {
  if (asked.by !== 'decisions') return first ? { rendered: first } : {};
  const { environment } = p.input;
  const { current } = p.state;
  const { renderRelease } = quick(p.attempts, p.ask.settings.queue);
  for (let last = first; ;) {
    const { authors = proposal.authors, ...rendered } = await renderRelease({
      environment,
      release,
      revision,
      ...(current && { current }),
      asked,
    });
    seen(p, rendered);
    if (rendered.manifestsDigest === last?.manifestsDigest) return { rendered };
    const refusal = await awaitDecisions(p, { ...proposal, authors, rendered }, asked);
    if (refusal) return refusal;
    last = rendered;
  }
}
