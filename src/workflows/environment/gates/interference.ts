import type { Outcome, PullRequest } from '../../../model/promotion/promotion.ts';
import { quick } from '../../activity-options.ts';
import { pullRequestIsRead, pullRequestWasRead } from '../promotion-events.ts';
import { ended, place, withdrawal, type Promotion } from '../promotion.ts';

/**
 * Reads the pull request again when the forge said something about it, and tells what ends a promotion while people are
 * asked: its delivery withdrew it, or somebody laid hands on the pull request.
 */
export async function interference(
  p: Promotion,
  { number, head }: PullRequest,
): Promise<Outcome | undefined> {
  if (p.unread) {
    pullRequestIsRead(p);
    const { readPullRequest } = quick(p.attempts, p.ask.settings.queue);
    pullRequestWasRead(p, await readPullRequest({ ...place(p), number, head }));
  }
  const withdrawn = withdrawal(p);
  if (withdrawn) return withdrawn;
  if (p.reading?.state === 'closed') {
    return ended(
      p,
      'rejected',
      `Somebody closed pull request #${number}, or deleted its branch. To propose the change again, deliver it again.`,
    );
  }
  if (p.reading?.edited !== undefined) {
    const { edited } = p.reading;
    return ended(
      p,
      'failed',
      `Somebody changed pull request #${number} (${edited}). Deliver the change again.`,
    );
  }
  return undefined;
}
