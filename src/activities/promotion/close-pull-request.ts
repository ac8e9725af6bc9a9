import { codeBlock } from '../../model/text/markdown.ts';
import { promotionBranch } from '../../model/promotion/promotion-branch.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import type { PullRequestActivities } from '../contract.ts';
import { refused, withForge } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat and late: closed already is success, and for a promotion that ended nothing is closed. */
export const createClosePullRequest = ({
  forge,
  temporal,
}: Pick<Systems, 'forge' | 'temporal'>): Pick<PullRequestActivities, 'closePullRequest'> => ({
  async closePullRequest({ environment, change, number, reason }) {
    const branch = promotionBranch(environment, change);
    await withForge(async () => {
      const found = await forge.pullRequest(number);
      if (found.head.branch !== branch) throw refused(`#${number} is not the pull request of ${branch}.`);
      // A retry of the change has a pull request on the same branch: a late attempt must not take it away.
      if (!(await ownRunIsOpen(temporal))) return;
      if (found.state === 'open') {
        const body = `Closed:\n\n${codeBlock(reason)}\n\n${found.body}`;
        await forge.updatePullRequest(number, { state: 'closed', body });
      }
      await forge.deleteBranch(branch);
    });
  },
});
