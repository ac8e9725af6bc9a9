import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Approval, PullRequestReading } from '../../model/promotion/promotion.ts';
import { promotionBranch } from '../../model/promotion/promotion-branch.ts';
import { releaseMessage } from '../../model/promotion/release.ts';
import { ownRunIsOpen, wantedBy } from '../../systems/temporal/runs.ts';
import type { PullRequestActivities } from '../contract.ts';
import { outlived, withForge, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import { manifestsPath, overlayPath } from '../../config/paths.ts';
import { isIn } from '../../config/services.ts';
import type { Release } from '../../model/delivery/change.ts';
import { mergePinned } from './merge-pinned.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseWeaker } from './settings.ts';

/**
 * Safe to repeat, side by side and late: only the head that people saw is merged, and one that was merged at it is
 * success. For a promotion that ended nothing is merged.
 */
export function createMergePullRequest(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'forge' | 'temporal'>,
): Pick<PullRequestActivities, 'mergePullRequest'> {
  const { config, repository, forge, temporal } = systems;
  const base = config.repository.branch;

  return {
    async mergePullRequest({ environment, release, pullRequest, approval, asker }) {
      const { number, head } = pullRequest;
      const branch = promotionBranch(environment, release.change);
      const [title = '', ...message] = releaseMessage(environment, release).split('\n');
      const text = {
        title: `${title} (#${number})`,
        message: message.join('\n').trim(),
      };
      const wanted = wantedBy(temporal, asker);
      return withGit(() =>
        withForge(async () => {
          const merged = await mergePinned(forge, { number, head, base }, text, async (reading) => {
            if (!(await wanted())) return outlived;
            const gone = await refuseGone(systems, release, await repository.tip());
            return (
              gone ??
              (await refuseRemoved(systems, release, environment)) ??
              refuseWeaker(config, environment, approval) ??
              unreviewed(promotionSettings(config, environment).approval, reading)
            );
          });
          if (merged.state === 'merged' && (await ownRunIsOpen(temporal))) await forge.deleteBranch(branch);
          return merged;
        }),
      );
    },
  };
}

/** Its overlay may have gone with the service: the merge would bring back a release that nothing includes. */
async function refuseRemoved(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  { change: { service } }: Release,
  environment: string,
): Promise<string | undefined> {
  const overlay = overlayPath({ manifests: manifestsPath(config, service) }, environment);
  const files = await repository.files(await repository.tip(), overlay);
  return files.some((file) => !isIn(file, `${overlay}/release`))
    ? undefined
    : `${overlay} is not in the repository any more, so nothing would run what is merged. Bring it back, or leave the change.`;
}

/** The forge's own rules may be weaker than ours, and a review may be taken back while we are on our way here. */
function unreviewed(demanded: Approval, { approvedBy, rejectedBy }: PullRequestReading): string | undefined {
  if (demanded.by !== 'review') return undefined;
  const [rejecter] = rejectedBy;
  if (rejecter !== undefined) return `${rejecter} asked for changes.`;
  return approvedBy.length === 0 ? 'No approving review of its head counts any more.' : undefined;
}
