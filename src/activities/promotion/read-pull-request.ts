import type { Forge, PullRequest } from '../../systems/forge/index.ts';
import type { PullRequestReading } from '../../model/promotion/promotion.ts';
import type { PullRequestActivities } from '../contract.ts';
import { withForge } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** A pull request as we opened it. */
export interface Opened {
  number: number;
  /** Of one that was found merged: the commit that it became. */
  head: string;
  /** The protected branch. */
  base: string;
}

/** What somebody did to a pull request that makes it another one than people were asked about. */
function editOf(found: PullRequest, { head, base }: Opened): string | undefined {
  if (found.base !== base) return `it goes to ${found.base}, not ${base}`;
  if (found.head.sha !== head && found.revision !== head) {
    return `its head is ${found.head.sha}, not ${head}`;
  }
  return undefined;
}

/** Reads it with the verdicts that count on exactly the head that was opened. */
export async function readOpened(forge: Forge, opened: Opened): Promise<PullRequestReading> {
  const found = await forge.pullRequest(opened.number);
  const reviews = await forge.reviews(opened.number);
  const by = (verdict: 'approve' | 'reject') =>
    reviews
      .filter((review) => review.counts && review.commit === found.head.sha && review.verdict === verdict)
      .map((review) => review.by);
  const edited = editOf(found, opened);
  return {
    state: found.state,
    ...(edited !== undefined && { edited }),
    ...(found.revision !== undefined && { revision: found.revision }),
    approvedBy: by('approve'),
    rejectedBy: by('reject'),
  };
}

/** Reads only. */
export const createReadPullRequest = ({
  config,
  forge,
}: Pick<Systems, 'config' | 'forge'>): Pick<PullRequestActivities, 'readPullRequest'> => ({
  readPullRequest: ({ number, head }) =>
    withForge(() => readOpened(forge, { number, head, base: config.repository.branch })),
});
