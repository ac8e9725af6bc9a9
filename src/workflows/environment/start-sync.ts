import type { SyncActivities } from '../../activities/contract.ts';
import type { Release } from '../../model/delivery/change.ts';
import type { Outcome, Proposal, PullRequest, Released } from '../../model/promotion/promotion.ts';
import { syncing } from '../activity-options.ts';
import { approveAnew } from './gates/approve-anew.ts';
import { ended, place, withdrawal, type Promotion } from './promotion.ts';
import { untilWithdrawn } from './until-withdrawn.ts';

type Start = Parameters<SyncActivities['startSync']>[0];

/** A release that is on the protected branch. */
interface OnBranch {
  release: Release;
  /** What is released there, where that stays. */
  released?: Released;
  revision: string;
  operationId: string;
}

/**
 * Syncs what is on the branch; where people decide, exactly what they approved: if something else would run by then, they
 * decide anew, on that.
 *
 * @param asked what they were asked about
 * @returns why it was not started, if so
 */
export async function startSync(
  p: Promotion,
  asked: Pick<Proposal, 'authors' | 'rendered'> & { pullRequest?: PullRequest },
  { release, released, revision, operationId }: OnBranch,
): Promise<Outcome | undefined> {
  const { approval } = p.ask.settings;
  const sync = {
    release: released ?? release,
    revision,
    operationId,
    approval,
    merged: asked.pullRequest !== undefined,
  };
  for (let { rendered } = asked; ;) {
    const approved = await approveAnew(
      p,
      { ...asked, ...(rendered && { rendered }) },
      { release, revision },
      approval,
    );
    if ('state' in approved) return approved;
    ({ rendered } = approved);
    const withdrawn = withdrawal(p);
    if (withdrawn) return withdrawn;
    const started = await start(p, { ...sync, ...(rendered && { approved: rendered.manifestsDigest }) });
    if (started === 'started') return undefined;
    if (started !== 'changed') return started;
  }
}

/** Is tried until a sync window opens, or another's operation ends; a withdrawal ends that. */
async function start(
  p: Promotion,
  sync: Omit<Start, 'environment' | 'service' | 'asker'>,
): Promise<Outcome | 'started' | 'changed'> {
  const { startSync: ask } = syncing(p.attempts);
  const answer = await untilWithdrawn(p, '', () => ask({ ...place(p), ...sync, asker: p.ask.asker }));
  if (answer.state === 'failed') return answer;
  return answer.state === 'refused' ? ended(p, 'failed', answer.reason) : answer.state;
}
