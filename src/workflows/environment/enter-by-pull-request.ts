import { log, uuid4 } from '@temporalio/workflow';
import type { Outcome, Proposal } from '../../model/promotion/promotion.ts';
import { failureText } from '../failure-text.ts';
import { quick } from '../activity-options.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import { awaitReview } from './gates/await-review.ts';
import type { Entered } from './promote.ts';
import { preview } from './preview.ts';
import { merged, proposed, show } from './promotion-events.ts';
import { ended, place, Unfinished, withdrawal, type Promotion } from './promotion.ts';
import { startSync } from './start-sync.ts';

/** Opens the pull request, asks people, merges what they saw, and syncs it where Argo CD does not by itself. */
export async function enterByPullRequest(p: Promotion): Promise<Entered | Outcome> {
  const { release, settings } = p.ask;
  const proposal = p.done.proposal ?? (await propose(p).catch(failed(p)));
  if ('state' in proposal) return close(p, proposal);
  const refusal = await merge(p, proposal);
  if (refusal) return close(p, refusal);

  const { pullRequest, tree } = proposal;
  const revision = p.done.merged ?? '';
  if (settings.sync === 'automated') return { state: 'entered', revision, tree };
  const operationId = uuid4();
  const unsynced = await startSync(p, proposal, { release, revision, operationId }).catch(failed(p));
  if (!unsynced) return { state: 'entered', revision, tree, operationId };
  return {
    ...unsynced,
    reason:
      `${unsynced.reason ?? ''} Pull request #${pullRequest.number} is merged but not synced: ${p.input.environment} runs on as before. ` +
      'Deliver the change again, or a newer one, or revert the merge.',
  };
}

async function propose(p: Promotion): Promise<Proposal> {
  const { environment } = p.input;
  const { release, asker, settings } = p.ask;
  const { current } = p.state;

  const { seen: released, rendered } = await preview(p);
  const proposal = await quick(p.attempts, settings.queue).openPullRequest({
    environment,
    release,
    seen: released,
    ...(rendered && { rendered }),
    ...(current && { current }),
    asked: settings.approval,
    asker,
  });
  proposed(p, proposal);
  return proposal;
}

/** Once people let it, and never twice. @returns why it may not, if so */
async function merge(p: Promotion, proposal: Proposal): Promise<Outcome | undefined> {
  if (p.done.merged !== undefined) return undefined;
  const { environment } = p.input;
  const { release, asker, settings } = p.ask;
  const refusal = (await gate(p, proposal).catch(failed(p))) ?? withdrawal(p);
  if (refusal) return refusal;
  await show(p, { state: 'running' });

  const { approval, queue } = settings;
  const { pullRequest } = proposal;
  const result = await quick(p.attempts, queue).mergePullRequest({
    environment,
    release,
    pullRequest,
    approval,
    asker,
  });
  if (result.state === 'refused') return ended(p, 'failed', result.reason);
  merged(p, result.revision);
  return undefined;
}

async function gate(p: Promotion, proposal: Proposal): Promise<Outcome | undefined> {
  const { approval } = p.ask.settings;
  if (approval.by === 'review') return awaitReview(p, proposal.pullRequest);
  if (approval.by === 'decisions') return awaitDecisions(p, proposal, approval);
  return undefined;
}

/** Nobody shall merge what the promotion has left behind. */
async function close(p: Promotion, outcome: Outcome): Promise<Outcome> {
  const { environment } = place(p);
  const { change } = p.ask.release;
  const { pullRequest } = p.view;
  if (!pullRequest) return outcome;
  const { number } = pullRequest;
  const reason = outcome.reason ?? outcome.state;
  try {
    await quick(p.attempts, p.ask.settings.queue).closePullRequest({ environment, change, number, reason });
    return outcome;
  } catch (error) {
    log.error('a pull request could not be closed', { number, reason: failureText(error) });
    // How it ended stands, whatever the forge says.
    return { ...outcome, reason: `${reason} Close pull request #${number} by hand: ${failureText(error)}` };
  }
}

const failed =
  (p: Promotion) =>
  (error: unknown): Outcome => {
    if (error instanceof Unfinished) throw error;
    return ended(p, 'failed', failureText(error));
  };
