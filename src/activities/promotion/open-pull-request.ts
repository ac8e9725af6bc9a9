import { ApplicationFailure } from '@temporalio/common';
import { promotionSettings } from '../../config/promotion-settings.ts';
import { releasePath } from '../../config/paths.ts';
import { promotionBranch } from '../../model/promotion/promotion-branch.ts';
import type { Proposal, Rendered } from '../../model/promotion/promotion.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseOlder } from './refuse-older.ts';
import { releaseKustomization, releaseMessage } from '../../model/promotion/release.ts';
import { ensurePullRequest } from '../../systems/forge/ensure-pull-request.ts';
import { oneAtATime } from '../../systems/concurrency/one-at-a-time.ts';
import { ownRunIsOpen, wantedBy } from '../../systems/temporal/runs.ts';
import { outlived, refused, withForge, withGit, withObjects } from '../failures.ts';
import { carriedBy } from './carried.ts';
import { bringBase } from './release-base.ts';
import { withRejected } from './rejected-before.ts';
import { readOpened } from './read-pull-request.ts';
import { pullRequestBody, pullRequestTitle } from './pull-request-text.ts';
import type { Systems } from '../systems.ts';
import type { PullRequestActivities, RenderActivities } from '../contract.ts';

/** Forges' search and the platform's people find what waits for the Change Board by this. */
const decisionLabel = 'production-release';

type Opening = Parameters<PullRequestActivities['openPullRequest']>[0];

/**
 * Safe to repeat, side by side and late: compare-and-set on the tree that the promotion saw and on its branch, by whose
 * name the pull request is found again. Where a forge made two of it, the lower number stays.
 */
export function createOpenPullRequest(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'forge' | 'argocd' | 'objects' | 'temporal'>,
  rendering: Pick<RenderActivities, 'renderRelease'>,
): Pick<PullRequestActivities, 'openPullRequest'> {
  const { config, repository, forge, objects, temporal } = systems;
  const base = config.repository.branch;

  return {
    // Attempts may overlap, and neither a new branch nor a pull request is made atomically.
    openPullRequest: (input) =>
      oneAtATime(promotionBranch(input.environment, input.release.change), () => withGit(() => open(input))),
  };

  async function open({
    environment,
    release,
    seen,
    current,
    asked,
    rendered: previewed,
    asker,
  }: Opening): Promise<Proposal> {
    const { change } = release;
    const { approval } = promotionSettings(config, environment);
    const carried = await carriedBy(systems, { environment, release, tip: seen.tip, current });
    const { service, commits, authors, running, rejected } = carried;
    const reason =
      (await refuseGone(systems, release, await repository.tip())) ??
      (await refuseOlder(systems, { environment, seen, position: release.source.position }));
    if (reason !== undefined) throw refused(reason);

    await bringBase(systems, release);
    const branch = promotionBranch(environment, change);
    const path = releasePath(service, environment);
    const wanted = wantedBy(temporal, asker);
    let gone: string | undefined;
    const written = await repository.writeRelease({
      branch,
      path,
      base: release.source.base,
      kustomization: releaseKustomization(release),
      expectedTree: seen.tree,
      message: releaseMessage(environment, release),
      // The branch may have been rewritten while the forge was away.
      stillWanted: async (tip) => {
        gone = await refuseGone(systems, release, tip);
        return gone === undefined && wanted();
      },
    });
    if (written.state === 'unwanted') throw refused(gone ?? outlived);
    if (written.state === 'changed') {
      throw refused(`Somebody else wrote ${path} meanwhile. Deliver the change again.`);
    }

    const { revision: head, tree } = written;
    const found =
      previewed ??
      (asked.by === 'decisions' ? await render({ environment, release, revision: head }, branch) : undefined);
    const rendered = found && withRejected(found, rejected);
    const shown = rendered && {
      key: rendered.diff,
      summary: rendered.summary,
      text: (await withObjects(() => objects.get(rendered.diff)))?.body ?? '',
    };
    const facts = {
      ...{ environment, release, approval, commits, authors, rejected },
      ...(current && { current }),
      ...(running && { running }),
    };
    return withForge(async () => {
      const found = await ensurePullRequest(forge, {
        branch,
        head,
        base,
        title: pullRequestTitle(environment, release),
        body: pullRequestBody({ ...facts, ...(shown && { diff: shown }) }),
        ...(approval.by === 'decisions' && { label: decisionLabel }),
        released: tree === seen.tree,
        stillWanted: wanted,
      });
      if (!found) throw refused(outlived);
      const { number, url } = found;
      // Of a merged one the commit that it became: its own head may be gone with its branch.
      const pullRequest = { number, url, head: found.revision ?? head };
      const reading = await readOpened(forge, { ...pullRequest, base });
      return { pullRequest, tree, authors, reading, ...(rendered && { rendered }) };
    });
  }

  /** For runs begun under 0.1. What may not run is not proposed: of its branch nothing stays. */
  async function render(
    input: Parameters<RenderActivities['renderRelease']>[0],
    branch: string,
  ): Promise<Rendered> {
    try {
      return await rendering.renderRelease(input);
    } catch (error) {
      const isRefusal = error instanceof ApplicationFailure && error.nonRetryable;
      if (isRefusal && (await ownRunIsOpen(temporal))) await withForge(() => forge.deleteBranch(branch));
      throw error;
    }
  }
}
