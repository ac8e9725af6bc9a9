import { ApplicationFailure } from '@temporalio/common';
import { promotionSettings, releasePath } from '../../config/places.ts';
import { type Release } from '../../model/change.ts';
import { promotionBranch } from '../../model/promotion-branch.ts';
import { inlineCode } from '../../model/markdown.ts';
import { olderOf, type Approval } from '../../model/promotion.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseOlder } from './refuse-older.ts';
import { releaseKustomization, releaseMessage } from '../../model/release.ts';
import { ensurePullRequest } from '../../systems/forge/ensure.ts';
import type { Commit } from '../../systems/git/repository.ts';
import { inTurn } from '../../systems/in-turn.ts';
import { ownRunIsOpen, wantedBy } from '../../systems/temporal/runs.ts';
import { refused } from '../failures.ts';
import { withForge } from '../forge-failures.ts';
import { withGit } from '../git-failures.ts';
import { knownService } from '../delivery/known-service.ts';
import { mergePinned } from './merge-pinned.ts';
import { peopleOf } from './authors.ts';
import { readOpened } from './pull-request-reading.ts';
import { pullRequestBody, pullRequestTitle } from './pull-request-text.ts';
import type { Systems } from '../systems.ts';
import { whatRuns } from '../delivery/what-runs.ts';
import type {
  Proposal,
  PullRequestActivities,
  PullRequestReading,
  RenderActivities,
  Rendered,
} from '../contract.ts';

const noLongerWanted = 'The delivery does not want it any more.';
/** Forges' search and the platform's people find what waits for the Change Board by this. */
const decisionLabel = 'production-release';
/** What the repository lists at most: beyond it authors would go unnoticed. */
const mostCommits = 200;

type Opening = Parameters<PullRequestActivities['openPullRequest']>[0];

export function createPullRequestActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'forge' | 'argocd' | 'objects' | 'temporal'>,
  rendering: RenderActivities,
): PullRequestActivities {
  const { config, repository, forge, objects, temporal } = systems;
  const base = config.repository.branch;

  return {
    // Attempts may overlap, and neither a new branch nor a pull request is made atomically.
    openPullRequest: (input) =>
      inTurn(promotionBranch(input.environment, input.release.change), () => withGit(() => open(input))),

    readPullRequest: ({ number, head }) => withForge(() => readOpened(forge, { number, head, base })),

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
            if (!(await wanted())) return noLongerWanted;
            const gone = await refuseGone(repository, release.change, await repository.tip());
            return gone ?? unapproved(promotionSettings(config, environment).approval, approval, reading);
          });
          if (merged.state === 'merged' && (await ownRunIsOpen(temporal))) await forge.deleteBranch(branch);
          return merged;
        }),
      );
    },

    async closePullRequest({ environment, change, number, reason }) {
      const branch = promotionBranch(environment, change);
      await withForge(async () => {
        const found = await forge.pullRequest(number);
        if (found.head.branch !== branch) throw refused(`#${number} is not the pull request of ${branch}.`);
        // A retry of the change has a pull request on the same branch: a late attempt must not take it away.
        if (!(await ownRunIsOpen(temporal))) return;
        if (found.state === 'open') {
          const body = `Closed: ${inlineCode(reason)}\n\n${found.body}`;
          await forge.updatePullRequest(number, { state: 'closed', body });
        }
        await forge.deleteBranch(branch);
      });
    },
  };

  async function open({ environment, release, seen, current, asked, asker }: Opening): Promise<Proposal> {
    const { change } = release;
    const service = await knownService({ config, repository }, change.service, seen.tip);
    const { approval } = promotionSettings(config, environment);
    const running = await whatRuns(systems, { environment, service: service.name });
    const since = olderOf(running, current);
    const commits = await repository.log(since?.change.commit, change.commit, service.paths);
    const authors = authorsOf(commits, release, approval);
    const reason =
      (await refuseGone(repository, change, seen.tip)) ??
      (await refuseOlder(repository, { environment, seen, position: release.source.position }));
    if (reason !== undefined) throw refused(reason);

    const branch = promotionBranch(environment, change);
    const path = releasePath(service, environment);
    const wanted = wantedBy(temporal, asker);
    const written = await repository.writeRelease({
      branch,
      path,
      base: release.source.base,
      kustomization: releaseKustomization(release),
      expectedTree: seen.tree,
      message: releaseMessage(environment, release),
      stillWanted: wanted,
    });
    if (written.state === 'unwanted') throw refused(noLongerWanted);
    if (written.state === 'changed') {
      throw refused(`Somebody else wrote ${path} meanwhile. Deliver the change again.`);
    }

    const { revision: head, tree } = written;
    const rendered =
      asked.by === 'decisions' ? await render({ environment, release, revision: head }, branch) : undefined;
    const shown = rendered && {
      key: rendered.diff,
      summary: rendered.summary,
      text: (await objects.get(rendered.diff))?.body ?? '',
    };
    const facts = {
      ...{ environment, release, approval, commits, authors },
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
      if (!found) throw refused(noLongerWanted);
      const { number, url } = found;
      // Of a merged one the commit that it became: its own head may be gone with its branch.
      const pullRequest = { number, url, head: found.revision ?? head };
      const reading = await readOpened(forge, { ...pullRequest, base });
      return { pullRequest, tree, authors, reading, ...(rendered && { rendered }) };
    });
  }

  /** What may not run is not proposed: of its branch nothing stays. */
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

  function authorsOf(commits: Commit[], { source }: Release, approval: Approval): string[] {
    if (approval.by === 'decisions' && commits.length >= mostCommits) {
      throw refused(
        `More than ${mostCommits} commits since what runs: whose they are cannot be told, so nobody could approve. ` +
          'Deliver an earlier commit first.',
      );
    }
    const authors = peopleOf(config, [...commits.flatMap((commit) => commit.authors), ...source.authors]);
    if (approval.by !== 'decisions') return authors;
    const deciders = approval.deciders.filter((person) => !authors.includes(person));
    if (deciders.length >= approval.quorum) return authors;
    throw refused(
      `${approval.quorum} must approve, but of those who decide only ${deciders.join(', ') || 'nobody'} wrote none of it. ` +
        'Name more people in gitops.yaml.',
    );
  }
}

/** The forge's own rules may be weaker than ours, and a review may be taken back while we are on our way here. */
function unapproved(
  demanded: Approval,
  asked: Approval,
  { approvedBy, rejectedBy }: PullRequestReading,
): string | undefined {
  if (demanded.by === 'decisions' && asked.by !== 'decisions') {
    return 'The configuration demands decisions by now. Deliver the change again.';
  }
  if (demanded.by !== 'review') return undefined;
  const [rejecter] = rejectedBy;
  if (rejecter !== undefined) return `${rejecter} asked for changes.`;
  return approvedBy.length === 0 ? 'No approving review of its head counts any more.' : undefined;
}
