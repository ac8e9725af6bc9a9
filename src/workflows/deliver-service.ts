import { ApplicationFailure, CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { Release } from '../model/delivery/change.ts';
import type { Delivery, DeliveryInput, Plan } from '../model/delivery/delivery.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { deliveryInputSchema } from '../model/temporal/input-schemas.ts';
import type { Outcome } from '../model/promotion/promotion.ts';
import { checkedInput, checkOwnId } from './input-checks.ts';
import { lengthy, ownId, quick } from './activity-options.ts';
import { cancelledText, trackDelivery, type DeliveryTrack } from './delivery-track.ts';
import { failureText } from './failure-text.ts';

/**
 * Carries one change to its last environment. Started once a change (`deliverId`); what was done before is found done.
 *
 * @throws ApplicationFailure `DeliveryFailed` when a step failed; a rejected or superseded change ends normally
 */
export async function deliverService(started: DeliveryInput): Promise<Delivery> {
  const input = checkedInput(deliveryInputSchema, started);
  checkOwnId(deliverId(input.platform, input.change));
  const track = trackDelivery(input.change);
  try {
    return await deliver(input, track);
  } catch (error) {
    const cancelled = isCancellation(error);
    const reason = cancelled ? cancelledText : failureText(error);
    // A cancelled delivery still has to say how it ended.
    const delivery = await CancellationScope.nonCancellable(() =>
      end(input, track, { state: 'failed', reason }),
    );
    if (cancelled) throw error;
    throw ApplicationFailure.nonRetryable(reason, 'DeliveryFailed', delivery.change);
  }
}

async function deliver(input: DeliveryInput, track: DeliveryTrack): Promise<Delivery> {
  const { platform, change } = input;
  const given = input.image === undefined ? {} : { image: input.image };

  const plan = await track.step('verify', () => quick(platform).verifyChange({ change, ...given }));
  track.plan(plan);

  if (plan.test) await track.step('test', () => lengthy(platform).testService({ change }));
  const release: Release = { change, source: plan.source, ...(await image(input, track, plan)) };

  for (const environment of plan.environments) {
    const outcome = await track.environment(environment.name, () =>
      enter(input, track, environment, release),
    );
    if (outcome.state === 'failed') throw ApplicationFailure.nonRetryable(outcome.reason ?? 'failed');
    if (outcome.state !== 'succeeded') return end(input, track, outcome);
  }
  return end(input, track, { state: 'succeeded' });
}

async function image(
  { platform, change, image }: DeliveryInput,
  track: DeliveryTrack,
  plan: Plan,
): Promise<Pick<Release, 'image'>> {
  if (plan.image === 'none') return {};
  const { name, digest } = await track.step('build', () =>
    image === undefined
      ? lengthy(platform).buildImage({ change, source: plan.source })
      : lengthy(platform).adoptImage({ change, reference: image }),
  );
  track.image({ name, digest });
  return { image: { name, digest } };
}

async function enter(
  { platform }: DeliveryInput,
  track: DeliveryTrack,
  { name: environment, settings }: Plan['environments'][number],
  release: Release,
): Promise<Outcome> {
  const { workflowId, runId } = workflowInfo();
  const ask = { id: ownId(), asker: { workflowId, runId }, release, settings };
  const { askEnvironment, withdrawAsk } = quick(platform, 'delivery', environment);
  try {
    do await askEnvironment({ environment, ask });
    while (!(await track.answerFrom(environment)));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      do await withdrawAsk({ environment, ask, reason: cancelledText });
      while (!(await track.answerFrom(environment)));
    });
    throw error;
  }
  return track.answer(environment);
}

async function end(
  { platform }: DeliveryInput,
  track: DeliveryTrack,
  outcome: Pick<Outcome, 'state' | 'reason'>,
): Promise<Delivery> {
  await quick(platform).recordDelivery({ delivery: track.ended(outcome) });
  // Not before it is over: who sees that it failed may start it again at once, and would find this one still running.
  return track.end(outcome);
}
