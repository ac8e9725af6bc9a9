import {
  condition,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { changeName, type Change, type Image } from '../model/delivery/change.ts';
import {
  describeDelivery,
  imageReference,
  stepInto,
  type Delivery,
  type Plan,
  type Step,
} from '../model/delivery/delivery.ts';
import { answerSchema, progressSchema } from '../model/temporal/input-schemas.ts';
import { answered, deliveryStatus, nudge, progressed } from '../model/temporal/messages.ts';
import type { Outcome } from '../model/promotion/promotion.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { onSignal } from './input-checks.ts';
import { now, ownId } from './activity-options.ts';
import { failureLogs, failureText } from './failure-text.ts';
import { isCancelled } from './is-cancelled.ts';
import { remind, type Reminder } from './reminder.ts';

export const deliveryCancelled = 'The delivery was cancelled.';

export type DeliveryTrack = ReturnType<typeof trackDelivery>;

/**
 * A signal may be lost with the environment that had it (somebody terminated it), so it is asked again: it knows its
 * asks. Longer than people usually take, since each time is billed; a nudge, `cancel` and `deliver` do not wait for it.
 */
const askAgainEvery = '30 hours';

/** Keeps what people see of a delivery: the query, the details in the Temporal UI, the search attribute. */
export function trackDelivery(change: Change) {
  const delivery: Delivery = {
    change: changeName(change),
    ...change,
    state: 'running',
    steps: [{ name: 'verify', state: 'pending' }],
    environments: {},
  };
  const answers = new Map<string, Outcome>();
  let reminder: Reminder | undefined;

  function show(state: Delivery['state'], waitingFor?: string): void {
    if (state !== delivery.state) upsertSearchAttributes([{ key: attributes.state, value: state }]);
    delivery.state = state;
    delete delivery.waitingFor;
    if (waitingFor !== undefined) delivery.waitingFor = waitingFor;
    setCurrentDetails(describeDelivery(delivery));
  }

  async function run<T>(step: Step | undefined, work: () => Promise<T>): Promise<T> {
    if (!step) throw new Error('A step that verify did not plan was to be taken.');
    Object.assign(step, { state: 'running', startedAt: now() });
    show('running');
    try {
      const result = await work();
      step.state = 'succeeded';
      if (hasLog(result)) step.log = result.log;
      return result;
    } catch (error) {
      Object.assign(step, {
        state: 'failed',
        error: isCancelled(error) ? deliveryCancelled : failureText(error),
      });
      const [log] = failureLogs(error);
      if (log !== undefined) step.log = log;
      throw error;
    } finally {
      step.finishedAt = now();
      show('running');
    }
  }

  // Last: signals from before a reset are handled as soon as there is a handler.
  setHandler(deliveryStatus, () => delivery);
  onSignal(progressed, progressSchema, ({ askId, environment, view }) => {
    if (askId !== ownId() || answers.has(environment)) return;
    delivery.environments[environment] = view;
    const step = stepInto(delivery, environment);
    if (step) step.state = view.state;
    show(view.state === 'waiting' ? 'waiting' : 'running', view.waitingFor);
  });
  setHandler(nudge, () => {
    // Before the first ask there is nobody to ask again.
    if (reminder) reminder.due = true;
  });
  onSignal(answered, answerSchema, ({ askId, environment, outcome }) => {
    if (askId !== ownId()) return;
    answers.set(environment, outcome);
    delivery.environments[environment] = outcome;
  });

  return {
    /** Of its own, before the environments. */
    step: <T>(name: string, work: () => Promise<T>): Promise<T> =>
      run(
        delivery.steps.find((step) => step.name === name),
        work,
      ),

    /** The steps that `verify` found there are. */
    plan({ source, test, image, environments }: Plan): void {
      delivery.subject = source.subject;
      // Lists read it; whoever started the delivery may have known it already.
      if (workflowInfo().memo?.['subject'] === undefined) upsertMemo({ subject: source.subject });
      const names = [
        ...(test ? ['test'] : []),
        ...(image === 'none' ? [] : ['build']),
        ...environments.map(({ name }) => name),
      ];
      delivery.steps.push(...names.map((name): Step => ({ name, state: 'pending' })));
      if (environments.some(({ onto }) => onto)) delivery.overlaysOnly = true;
      for (const { name } of environments) delivery.environments[name] = { state: 'pending' };
    },

    image(image: Image): void {
      delivery.image = { reference: imageReference(image), digest: image.digest };
    },

    async environment(name: string, work: () => Promise<Outcome>): Promise<Outcome> {
      const step = stepInto(delivery, name);
      const outcome = await run(step, async () => {
        delivery.environments[name] = { state: 'running' };
        return work();
      });
      delivery.environments[name] = outcome;
      if (step) step.state = outcome.state;
      if (step && outcome.reason !== undefined) step.error = outcome.reason;
      return outcome;
    },

    /** @returns whether the environment answered; if not, it is time to ask again */
    async answerFrom(environment: string): Promise<boolean> {
      const again = (reminder ??= remind(askAgainEvery, 'until it is asked again'));
      await condition(() => answers.has(environment) || again.due);
      again.due = false;
      return answers.has(environment);
    },

    answer(environment: string): Outcome {
      const outcome = answers.get(environment);
      if (!outcome) throw new Error(`${environment} has not answered.`);
      return outcome;
    },

    /** As it will be once it has ended so. */
    ended({ state, reason }: Pick<Outcome, 'state' | 'reason'>): Delivery {
      const { waitingFor: _, ...rest } = delivery;
      return { ...rest, state, ...(reason !== undefined && { reason }) };
    },

    end({ state, reason }: Pick<Outcome, 'state' | 'reason'>): Delivery {
      if (reason !== undefined) delivery.reason = reason;
      show(state);
      return delivery;
    },
  };
}

const hasLog = (result: unknown): result is { log: string } =>
  typeof result === 'object' && result !== null && 'log' in result && typeof result.log === 'string';
