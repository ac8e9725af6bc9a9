import { isCancellation } from '@temporalio/workflow';
import { changeName, type Change, type Image } from '../../model/delivery/change.ts';
import type { Ask, Deployed, Outcome, Released } from '../../model/promotion/promotion.ts';
import { positionOf } from '../../model/promotion/promotion-queue.ts';
import { lengthy, now, patient, quick } from '../activity-options.ts';
import { enterByOverlay } from './enter-by-overlay.ts';
import { enterByPullRequest } from './enter-by-pull-request.ts';
import { enterByPush } from './enter-by-push.ts';
import { foundHealthy, inPlace, seen, show } from './promotion-events.ts';
import { remove } from './remove.ts';
import { ended, newerBehind, place, withdrawal, type Promotion } from './promotion.ts';
import { cancelWhen } from '../cancel-when.ts';
import { untilWithdrawn } from './until-withdrawn.ts';

/** How a release got in: the commit that holds it, and the operation that syncs it where Argo CD does not by itself. */
export interface Entered {
  state: 'entered';
  revision: string;
  /** What is released there, where that stays. */
  released?: Released;
  /** Git tree of `release/`. */
  tree: string;
  operationId?: string;
}

/** One promotion: gates, then the effect, then the wait. An outcome is returned; a fault is thrown. */
export async function promote(p: Promotion): Promise<Outcome> {
  const hasBegun = p.done.proposal ?? p.done.inPlace;
  const refusal = hasBegun ? undefined : await refuse(p);
  if (refusal) return refusal;
  if (p.ask.release.removes) return remove(p);

  const entered = await enterBy[p.ask.settings.entersBy](p);
  if (entered.state !== 'entered') return entered;
  const deployed = deployedBy(p, entered);
  const { image } = deployed;
  inPlace(p, deployed);
  await show(p, {
    state: 'running',
    revision: entered.revision,
    ...(image && { imageDigest: image.digest }),
  });

  const unhealthy = await awaitHealthy(p, entered, deployed);
  if (unhealthy) return unhealthy;
  // Runs begun under 0.1 did not wait for its test.
  if (!p.since02) foundHealthy(p, deployed);
  const failing = await endToEnd(p, deployed);
  if (failing) return failing;
  foundHealthy(p, deployed);
  return ended(p, 'succeeded');
}

const enterBy: Record<Ask['settings']['entersBy'], (p: Promotion) => Promise<Entered | Outcome>> = {
  push: enterByPush,
  'pull-request': enterByPullRequest,
  overlay: enterByOverlay,
};

function deployedBy({ ask }: Promotion, { released, revision }: Entered): Deployed {
  const { release } = ask;
  const { manifests } = release.source;
  const own = { commit: release.change.commit, position: positionOf(ask) };
  const { change, position, image }: Released = released ?? { ...release, position: own.position };
  return {
    ...{ change, position, revision },
    ...(manifests !== undefined && { manifests }),
    ...(image && { image }),
    ...(released && { overlay: own }),
    at: now(),
  };
}

/** Why it does not begin, if so. One that goes on in another run has begun: what it opened has to be closed. */
async function refuse(p: Promotion): Promise<Outcome | undefined> {
  const newer = await newerHere(p);
  return newer ? ended(p, 'superseded', `${changeName(newer)} is newer and is here already.`) : withdrawal(p);
}

/** Somebody may have rewritten the branch since: then what is here is not newer, however far down the line it was. */
async function newerHere({ attempts, state, ask }: Promotion): Promise<Change | undefined> {
  const { change, position, overlay } = state.current ?? {};
  if (!change || position === undefined) return undefined;
  for (const here of [{ commit: change.commit, position }, ...(overlay ? [overlay] : [])]) {
    if (here.position <= positionOf(ask)) continue;
    const found = await quick(attempts, 'delivery').findPosition({ ...change, commit: here.commit });
    if ((found.position ?? 0) > positionOf(ask)) return { ...change, commit: here.commit };
  }
  return undefined;
}

async function endToEnd(p: Promotion, { change, image }: Deployed): Promise<Outcome | undefined> {
  const { release, settings } = p.ask;
  const { environment } = p.input;
  if (!settings.endToEnd) return undefined;
  const previous = previousImage(p, change);
  const ran = await untilWithdrawn(p, stays, () =>
    lengthy(p.attempts).runEndToEnd({
      change: release.change,
      environment,
      ...(image && { image }),
      ...(previous && { previous }),
    }),
  );
  return 'state' in ran ? ran : undefined;
}

/** Of what was healthy here before. */
function previousImage({ state }: Promotion, released: Change): Image | undefined {
  const { change, image } = state.lastHealthy ?? {};
  return change && changeName(change) !== changeName(released) ? image : undefined;
}

const stays = ' The release was written before that and stays.';

/** Waits until the release runs, unless a newer change or a withdrawal makes that pointless: a fix is not held up. */
async function awaitHealthy(
  p: Promotion,
  { revision, tree, operationId }: Entered,
  { change, image }: Deployed,
): Promise<Outcome | undefined> {
  const { release, settings } = p.ask;
  const deadline = new Date(Date.now() + settings.healthyWithinMs).toISOString();
  try {
    const result = await cancelWhen(
      () => p.withdrawn !== undefined || newerBehind(p) !== undefined,
      () =>
        patient(p.attempts, settings.healthyWithinMs, p.since02).awaitHealthy({
          ...place(p),
          release: { ...release, change, ...(image && { image }) },
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
