import { isCancellation } from '@temporalio/workflow';
import { changeName, type Change, type Image } from '../../model/delivery/change.ts';
import type { Deployed, Outcome } from '../../model/promotion/promotion.ts';
import { positionOf } from '../../model/promotion/promotion-queue.ts';
import { lengthy, now, patient, quick } from '../activity-options.ts';
import { enterByPullRequest } from './enter-by-pull-request.ts';
import { enterByPush } from './enter-by-push.ts';
import { foundHealthy, inPlace, seen, show } from './promotion-events.ts';
import { remove } from './remove.ts';
import { ended, newerBehind, place, withdrawal, type Promotion } from './promotion.ts';
import { cancelWhen } from '../cancel-when.ts';

/** How a release got in: the commit that holds it, and the operation that syncs it where Argo CD does not by itself. */
export interface Entered {
  state: 'entered';
  revision: string;
  /** Git tree of `release/`. */
  tree: string;
  operationId?: string;
}

/** One promotion: gates, then the effect, then the wait. An outcome is returned; a fault is thrown. */
export async function promote(p: Promotion): Promise<Outcome> {
  const { release, settings } = p.ask;
  const refusal = p.done.proposal ? undefined : await refuse(p);
  if (refusal) return refusal;
  if (release.removes) return remove(p);

  const entered = settings.entersBy === 'push' ? await enterByPush(p) : await enterByPullRequest(p);
  if (entered.state !== 'entered') return entered;
  const deployed: Deployed = {
    change: release.change,
    position: positionOf(p.ask),
    revision: entered.revision,
    ...(release.image && { image: release.image }),
    at: now(),
  };
  inPlace(p, deployed);
  await show(p, {
    state: 'running',
    revision: entered.revision,
    ...(release.image && { imageDigest: release.image.digest }),
  });

  const unhealthy = await awaitHealthy(p, entered);
  if (unhealthy) return unhealthy;
  // Runs begun under 0.1 did not wait for its test.
  if (!p.since02) foundHealthy(p, deployed);
  const failing = await endToEnd(p);
  if (failing) return failing;
  foundHealthy(p, deployed);
  return ended(p, 'succeeded');
}

/** Why it does not begin, if so. One that goes on in another run has begun: what it opened has to be closed. */
async function refuse(p: Promotion): Promise<Outcome | undefined> {
  const newer = await newerHere(p);
  return newer ? ended(p, 'superseded', `${changeName(newer)} is newer and is here already.`) : withdrawal(p);
}

/** Somebody may have rewritten the branch since: then what is here is not newer, however far down the line it was. */
async function newerHere({ attempts, state, ask }: Promotion): Promise<Change | undefined> {
  const { current } = state;
  if (!current || current.position <= positionOf(ask)) return undefined;
  const { commit } = current.change;
  const { position = 0 } = await quick(attempts, 'delivery').findPosition({ commit });
  return position > positionOf(ask) ? current.change : undefined;
}

async function endToEnd(p: Promotion): Promise<Outcome | undefined> {
  const { release, settings } = p.ask;
  const { environment } = p.input;
  if (!settings.endToEnd) return undefined;
  const previous = previousImage(p);
  try {
    await cancelWhen(
      () => p.withdrawn !== undefined,
      () =>
        lengthy(p.attempts).runEndToEnd({
          change: release.change,
          environment,
          ...(release.image && { image: release.image }),
          ...(previous && { previous }),
        }),
    );
    return undefined;
  } catch (error) {
    const withdrawn = withdrawal(p, stays);
    if (!withdrawn) throw error;
    return withdrawn;
  }
}

/** Of what was healthy here before. */
function previousImage({ ask, state }: Promotion): Image | undefined {
  const { change, image } = state.lastHealthy ?? {};
  return change && changeName(change) !== changeName(ask.release.change) ? image : undefined;
}

const stays = ' The release was written before that and stays.';

/** Waits until the release runs, unless a newer change or a withdrawal makes that pointless: a fix is not held up. */
async function awaitHealthy(
  p: Promotion,
  { revision, tree, operationId }: Entered,
): Promise<Outcome | undefined> {
  const { release, settings } = p.ask;
  const deadline = new Date(Date.now() + settings.healthyWithinMs).toISOString();
  try {
    const result = await cancelWhen(
      () => p.withdrawn !== undefined || newerBehind(p) !== undefined,
      () =>
        patient(p.attempts, settings.healthyWithinMs, p.since02).awaitHealthy({
          ...place(p),
          release,
          revision,
          tree,
          ...(operationId !== undefined && { operationId }),
          deadline,
        }),
    );
    if (result.state === 'overtaken') return ended(p, 'superseded', result.reason);
    seen(p, {
      ...('logs' in result && { logs: result.logs }),
      ...(result.health !== undefined && { health: result.health }),
      ...(result.sync !== undefined && { sync: result.sync }),
    });
    return result.state === 'failed' ? ended(p, 'failed', result.reason) : undefined;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const withdrawn = withdrawal(p, stays);
    const newer = newerBehind(p);
    if (withdrawn || !newer) return withdrawn ?? ended(p, 'failed', `Cancelled.${stays}`);
    return ended(
      p,
      'superseded',
      `${changeName(newer.release.change)} is newer and did not wait for this one's health.`,
    );
  }
}
