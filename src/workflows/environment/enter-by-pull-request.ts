import { uuid4 } from '@temporalio/workflow';
import type { Proposal, Rendered } from '../../activities/contract.ts';
import type { Outcome } from '../../model/promotion.ts';
import { failureText } from '../failure-text.ts';
import { quick, syncing } from '../activity-options.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import { awaitReview } from './gates/await-review.ts';
import type { Entered } from './promote.ts';
import { ended, place, withdrawal, type Promotion } from './promotion.ts';
import { cancelWhen } from '../cancel-when.ts';

/** Opens the pull request, asks people, merges what they saw, and syncs it where Argo CD does not by itself. */
export async function enterByPullRequest(p: Promotion): Promise<Entered | Outcome> {
  const { platform, environment } = p.input;
  const { release, asker, settings } = p.ask;
  const work = quick(platform, settings.queue);

  const proposal = await propose(p).catch(failed(p));
  if ('state' in proposal) return close(p, proposal);
  const refusal = (await gate(p, proposal).catch(failed(p))) ?? withdrawal(p);
  if (refusal) return close(p, refusal);
  await p.show({ state: 'running' });

  const { pullRequest, tree } = proposal;
  const { approval } = settings;
  const merged = await work.mergePullRequest({ environment, release, pullRequest, approval, asker });
  if (merged.state === 'refused') return close(p, ended(p, 'failed', merged.reason));
  const { revision } = merged;
  if (settings.sync === 'automated') return { state: 'entered', revision, tree };

  const operationId = uuid4();
  const unsynced =
    (await approveAtMerge(p, proposal, revision).catch(failed(p))) ??
    withdrawal(p) ??
    (await startSync(p, revision, operationId));
  if (!unsynced) return { state: 'entered', revision, tree, operationId };
  return {
    ...unsynced,
    reason:
      `${unsynced.reason ?? ''} Pull request #${pullRequest.number} is merged but not synced: ${environment} runs on as before. ` +
      'Deliver the change again, or a newer one, or revert the merge.',
  };
}

const failed =
  (p: Promotion) =>
  (error: unknown): Outcome =>
    ended(p, 'failed', failureText(error));

/** Nobody shall merge what the promotion has left behind. */
async function close(p: Promotion, outcome: Outcome): Promise<Outcome> {
  const { environment } = place(p);
  const { change } = p.ask.release;
  const { pullRequest } = p.view;
  const reason = outcome.reason ?? outcome.state;
  if (pullRequest) {
    const { closePullRequest } = quick(p.input.platform, p.ask.settings.queue);
    await closePullRequest({ environment, change, number: pullRequest.number, reason });
  }
  return outcome;
}

/** Is tried until a sync window opens, or another's operation ends; a withdrawal ends that. */
async function startSync(p: Promotion, revision: string, operationId: string): Promise<Outcome | undefined> {
  const { release, asker } = p.ask;
  const { startSync: start } = syncing(p.input.platform);
  try {
    const sync = await cancelWhen(
      () => p.withdrawn !== undefined,
      () => start({ ...place(p), release, revision, operationId, asker }),
    );
    return sync.state === 'refused' ? ended(p, 'failed', sync.reason) : undefined;
  } catch (error) {
    return withdrawal(p) ?? failed(p)(error);
  }
}

async function propose(p: Promotion): Promise<Proposal> {
  const { platform, environment } = p.input;
  const { release, asker, settings } = p.ask;
  const { current } = p.state;
  const work = quick(platform, settings.queue);

  const seen = await work.readRelease(place(p));
  const asked = settings.approval;
  const proposal = await work.openPullRequest({
    environment,
    release,
    seen,
    ...(current && { current }),
    asked,
    asker,
  });
  p.reading = proposal.reading;
  p.view = { ...p.view, pullRequest: proposal.pullRequest, ...proposal.rendered };
  return proposal;
}

async function gate(p: Promotion, proposal: Proposal): Promise<Outcome | undefined> {
  const { approval } = p.ask.settings;
  if (approval.by === 'review') return awaitReview(p, proposal.pullRequest);
  if (approval.by === 'decisions') return awaitDecisions(p, proposal, approval);
  return undefined;
}

/** The branch may have moved under the pull request: what is about to run must be what people approved. */
async function approveAtMerge(
  p: Promotion,
  proposal: Proposal,
  revision: string,
): Promise<Outcome | undefined> {
  const { approval } = p.ask.settings;
  let approved = proposal.rendered;
  if (approval.by !== 'decisions') return undefined;
  for (;;) {
    const rendered = await render(p, revision);
    if (rendered.manifestsDigest === approved?.manifestsDigest) return undefined;
    const refusal = await awaitDecisions(p, { ...proposal, rendered }, approval);
    if (refusal) return refusal;
    approved = rendered;
  }
}

async function render(p: Promotion, revision: string): Promise<Rendered> {
  const { platform, environment } = p.input;
  const { release, settings } = p.ask;
  const rendered = await quick(platform, settings.queue).renderRelease({ environment, release, revision });
  p.view = { ...p.view, ...rendered };
  return rendered;
}
