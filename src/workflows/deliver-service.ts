import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type { Image, Release } from '../model/delivery/change.ts';
import type { Delivery, DeliveryInput, Plan } from '../model/delivery/delivery.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { deliveryInputSchema } from '../model/temporal/input-schemas.ts';
import type { Outcome } from '../model/promotion/promotion.ts';
import { lengthy, ownId, quick, type Attempts } from './activity-options.ts';
import { checkedInput, checkOwnId } from './input-checks.ts';
import { deliveryCancelled, trackDelivery, type DeliveryTrack } from './delivery-track.ts';
import { failureText } from './failure-text.ts';
import { isCancelled } from './is-cancelled.ts';
import { since02 } from './since.ts';

/**
 * Carries one change to its last environment. Started once a change (`deliverId`); what was done before is found done.
 *
 * @throws ApplicationFailure `DeliveryFailed` when a step failed; a rejected or superseded change ends normally
 */
export async function deliverService(started: DeliveryInput): Promise<Delivery> {
  const input = checkedInput(deliveryInputSchema, started);
  checkOwnId(deliverId(input.platform, input.change));
  const track = trackDelivery(input.change);
  const isSince02 = since02();
  try {
    const outcome = await deliver(input, track);
    if (!isSince02) return await end(input, track, outcome);
    return await endForGood(input, track, outcome);
  } catch (error) {
    const cancelled = isCancelled(error);
    const reason = cancelled ? deliveryCancelled : failureText(error);
    const delivery = await endForGood(input, track, { state: 'failed', reason });
    if (cancelled) throw new CancelledFailure(reason);
    throw ApplicationFailure.nonRetryable(reason, 'DeliveryFailed', delivery.change);
  }
}

type End = Pick<Outcome, 'state' | 'reason'>;

async function deliver(input: DeliveryInput, track: DeliveryTrack): Promise<End> {
  const { platform, change } = input;
  const given = input.image === undefined ? {} : { image: input.image };

  const plan = await track.step('verify', () =>
    quick({ platform }, 'delivery').verifyChange({ change, ...given }),
  );
  track.plan(plan);
  const attempts = { platform, ...(plan.silence && { silence: plan.silence }) };

  if (plan.test) await track.step('test', () => lengthy(attempts).testService({ change }));
  const image = await buildOrAdopt(input, attempts, track, plan);
  const release: Release = {
    change,
    source: plan.source,
    ...(plan.removes && { removes: plan.removes }),
    ...(image && { image }),
  };

  for (const environment of plan.environments) {
    const outcome = await track.environment(environment.name, () =>
      enter(attempts, track, environment, release),
    );
    if (outcome.state === 'failed') throw ApplicationFailure.nonRetryable(outcome.reason ?? 'failed');
    if (outcome.state !== 'succeeded') return outcome;
  }
  return { state: 'succeeded' };
}

async function buildOrAdopt(
  { change, image: reference }: DeliveryInput,
  attempts: Attempts,
  track: DeliveryTrack,
  plan: Plan,
): Promise<Image | undefined> {
  if (plan.image === 'none') return undefined;
  const { name, digest } = await track.step('build', () =>
    reference === undefined
      ? lengthy(attempts).buildImage({ change, source: plan.source })
      : lengthy(attempts).adoptImage({ change, reference }),
  );
  const image = { name, digest };
  track.image(image);
  return image;
}

async function enter(
  attempts: Attempts,
  track: DeliveryTrack,
  { name: environment, settings, onto }: Plan['environments'][number],
  release: Release,
): Promise<Outcome> {
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  const ask = { id: ownId(), asker: { workflowId, runId }, release, ...(onto && { onto }), settings };
  const { askEnvironment, withdrawAsk } = quick(attempts, 'delivery', environment);
  try {
    do await askEnvironment({ environment, ask });
    while (!(await track.answerFrom(environment)));
  } catch (error) {
    if (!isCancelled(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      do await withdrawAsk({ environment, ask, reason: deliveryCancelled });
      while (!(await track.answerFrom(environment)));
    });
    throw error;
  }
  return track.answer(environment);
}

/** A cancel that comes now comes too late, and a record that cannot be stored makes it none other than it is. */
function endForGood(input: DeliveryInput, track: DeliveryTrack, outcome: End): Promise<Delivery> {
  return CancellationScope.nonCancellable(() =>
    end(input, track, outcome).catch((error: unknown) => {
      log.error('how it ended could not be stored', { reason: failureText(error) });
      return track.end(outcome);
    }),
  );
}

async function end({ platform }: DeliveryInput, track: DeliveryTrack, outcome: End): Promise<Delivery> {
  await quick({ platform }, 'delivery').recordDelivery({ delivery: track.ended(outcome) });
  // Not before it is over: who sees that it failed may start it again at once, and would find this one still running.
  return track.end(outcome);
}
