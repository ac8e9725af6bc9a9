import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { changeName } from '../../model/change.ts';
import type { Deployed, Outcome } from '../../model/promotion.ts';
import { positionOf } from '../../model/promotion-queue.ts';
import { lengthy, now, patient } from '../proxies.ts';
import { enterByPullRequest } from './enter-by-pull-request.ts';
import { enterByPush } from './enter-by-push.ts';
import { ended, newerBehind, place, type Promotion } from './promotion.ts';

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
  const { current } = p.state;
  if (current && current.position > positionOf(p.ask)) {
    return ended(p, 'superseded', `${changeName(current.change)} is newer and is here already.`);
  }
  if (p.withdrawn !== undefined) return ended(p, 'failed', p.withdrawn);

  const entered = settings.entersBy === 'push' ? await enterByPush(p) : await enterByPullRequest(p);
  if (entered.state !== 'entered') return entered;
  const deployed: Deployed = {
    change: release.change,
    position: positionOf(p.ask),
    revision: entered.revision,
    ...(release.image && { image: release.image }),
    at: now(),
  };
  p.state.current = deployed;
  await p.show({
    state: 'running',
    revision: entered.revision,
    ...(release.image && { imageDigest: release.image.digest }),
  });

  const refusal = await awaitHealthy(p, entered);
  if (refusal) return refusal;
  p.state.lastHealthy = deployed;

  if (settings.endToEnd) {
    await lengthy(p.input.platform).runEndToEnd({
      change: release.change,
      environment: p.input.environment,
    });
  }
  return ended(p, 'succeeded');
}

/** Waits until the release runs, unless a newer change or a withdrawal makes that pointless: a fix is not held up. */
async function awaitHealthy(
  p: Promotion,
  { revision, tree, operationId }: Entered,
): Promise<Outcome | undefined> {
  const { release, settings } = p.ask;
  const deadline = new Date(Date.now() + settings.healthyWithinMs).toISOString();
  const wait = new CancellationScope();
  const health = wait.run(() =>
    patient(p.input.platform, settings.healthyWithinMs).awaitHealthy({
      ...place(p),
      release,
      revision,
      tree,
      ...(operationId !== undefined && { operationId }),
      deadline,
    }),
  );
  const watchers = new CancellationScope();
  const givenUp = watchers.run(() =>
    condition(() => p.withdrawn !== undefined || newerBehind(p) !== undefined),
  );
  givenUp.then(
    () => wait.cancel(),
    () => undefined,
  );

  try {
    const result = await health;
    if (result.state === 'overtaken') return ended(p, 'superseded', result.reason);
    const seen = {
      ...(result.health !== undefined && { health: result.health }),
      ...(result.sync !== undefined && { sync: result.sync }),
    };
    p.view = { ...p.view, ...seen };
    return result.state === 'failed' ? ended(p, 'failed', result.reason) : undefined;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const newer = newerBehind(p);
    if (p.withdrawn !== undefined || !newer) {
      return ended(
        p,
        'failed',
        `${p.withdrawn ?? 'Cancelled.'} The release was written before that and stays.`,
      );
    }
    return ended(
      p,
      'superseded',
      `${changeName(newer.release.change)} is newer and did not wait for this one's health.`,
    );
  } finally {
    watchers.cancel();
  }
}
