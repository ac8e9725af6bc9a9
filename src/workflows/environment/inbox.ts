import {
  ApplicationFailure,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { changeName } from '../../model/delivery/change.ts';
import { refuseDecision } from '../../model/decisions/refuse-decision.ts';
import type {
  EnvironmentInput,
  EnvironmentState,
  EnvironmentView,
} from '../../model/promotion/environment.ts';
import { askSchema, pullRequestChangeSchema, withdrawalSchema } from '../../model/temporal/input-schemas.ts';
import {
  answered,
  decide,
  decideSignal,
  environmentStatus,
  progressed,
  promote,
  pullRequestChanged,
  withdraw,
} from '../../model/temporal/messages.ts';
import {
  decisionRequestSchema,
  type Decision,
  type DecisionRequest,
} from '../../model/decisions/decision.ts';
import type { Ask, Outcome, PromotionView } from '../../model/promotion/promotion.ts';
import { positionOf, takeNext } from '../../model/promotion/promotion-queue.ts';
import { attributes } from '../../model/temporal/search-attributes.ts';
import { onSignal } from '../input-checks.ts';
import { failureText } from '../failure-text.ts';
import { newPromotion, type Promotion } from './promotion.ts';

/** So many ended asks are known by heart; an older one is judged by its position. */
const remembered = 50;

export type Inbox = ReturnType<typeof openInbox>;

/** Where asks, withdrawals and decisions come in and answers go out. */
export function openInbox(input: EnvironmentInput, state: EnvironmentState) {
  const { environment, service } = input;
  let active: Promotion | undefined;

  const isOurs = ({ release }: Ask): boolean => release.change.service === service;

  async function answer(ask: Ask, outcome: Outcome): Promise<void> {
    const entry = { askId: ask.id, change: ask.release.change, position: positionOf(ask), outcome };
    state.answered = [...state.answered.filter(({ askId }) => askId !== ask.id), entry].slice(-remembered);
    await sendAnswer(ask, outcome);
  }

  const sendAnswer = (ask: Ask, outcome: Outcome): Promise<void> =>
    tell(ask, () => asker(ask).signal(answered, { askId: ask.id, environment, outcome }));

  /** A delivery that somebody terminated is gone, and nothing is owed to it. */
  async function tell(ask: Ask, send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      log.warn('the delivery that asked is gone', {
        workflowId: ask.asker.workflowId,
        reason: failureText(error),
      });
    }
  }

  const asker = (ask: Ask) => getExternalWorkflowHandle(ask.asker.workflowId);

  function withdrawActive(reason: string): void {
    if (!active) return;
    active.withdrawn = reason;
    active.events += 1;
  }

  const supersede = (ask: Ask, by: Ask) =>
    answer(ask, {
      state: 'superseded',
      reason: `${changeName(by.release.change)} is newer and goes instead.`,
    });

  onSignal(promote, askSchema.refine(isOurs, 'is for another service'), async (ask) => {
    if (active?.ask.id === ask.id) {
      active.ask.asker = ask.asker;
      return;
    }
    const known = state.answered.find(({ askId }) => askId === ask.id);
    if (known) return sendAnswer(ask, known.outcome);
    // A delivery has one run at a time: the one that asked for what is under way was terminated.
    if (active?.ask.asker.workflowId === ask.asker.workflowId) {
      withdrawActive('Its delivery was terminated and started again.');
    }
    state.waiting = [...state.waiting.filter(({ id }) => id !== ask.id), ask];
    const { next, superseded } = takeNext(state.waiting);
    if (!next) return;
    state.waiting = [next];
    for (const old of superseded) await supersede(old, next);
  });

  /** Always answered, or the delivery would wait for ever; an ask that comes later finds this answer. */
  onSignal(
    withdraw,
    withdrawalSchema.refine(({ ask }) => isOurs(ask), 'is for another service'),
    async ({ ask, reason }) => {
      if (active?.ask.id === ask.id) return withdrawActive(reason);
      state.waiting = state.waiting.filter(({ id }) => id !== ask.id);
      const known = state.answered.find(({ askId }) => askId === ask.id);
      return known ? sendAnswer(ask, known.outcome) : answer(ask, { state: 'failed', reason });
    },
  );

  onSignal(pullRequestChanged, pullRequestChangeSchema, ({ number }) => {
    if (!active || (active.view.pullRequest?.number ?? number) !== number) return;
    // One that is being opened has no number here yet.
    active.unread = true;
    active.events += 1;
  });

  function takeDecision({ verdict, by, reason }: DecisionRequest): Decision {
    const call = active?.call;
    if (!active || !call) throw ApplicationFailure.nonRetryable('No decision is waited for.', 'Refused');
    const at = new Date().toISOString();
    const decision = {
      verdict,
      by,
      ...(reason !== undefined && { reason }),
      at,
      manifestsDigest: call.manifestsDigest,
    };
    call.decisions.push(decision);
    active.events += 1;
    return decision;
  }

  const refusalOf = (request: unknown): string | undefined => {
    const parsed = decisionRequestSchema.safeParse(request);
    if (!parsed.success)
      return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    return refuseDecision(active?.call, parsed.data, Date.now());
  };

  setHandler(decide, takeDecision, {
    validator(request) {
      const refusal = refusalOf(request);
      if (refusal !== undefined) throw ApplicationFailure.nonRetryable(refusal, 'Refused');
    },
  });
  setHandler(decideSignal, (request) => {
    const refusal = refusalOf(request);
    if (refusal === undefined) takeDecision(request);
    else log.warn('a decision was refused', { refusal });
  });

  setHandler(environmentStatus, (): EnvironmentView => ({
    environment,
    service,
    ...(state.current && { current: state.current }),
    ...(state.lastHealthy && { lastHealthy: state.lastHealthy }),
    ...(active && {
      active: {
        askId: active.ask.id,
        change: active.ask.release.change,
        position: positionOf(active.ask),
        view: active.view,
      },
    }),
    waiting: state.waiting.map((ask) => ({
      askId: ask.id,
      change: ask.release.change,
      position: positionOf(ask),
    })),
    recent: state.answered.slice(-10).map(({ change, outcome }) => ({ change, outcome })),
  }));

  return {
    supersede,

    begin(ask: Ask): Promotion {
      upsertSearchAttributes([
        { key: attributes.commit, value: ask.release.change.commit },
        { key: attributes.state, value: 'running' },
      ]);
      let told: PromotionView['state'] = 'running';
      active = newPromotion(input, state, ask, async (view) => {
        setCurrentDetails(`**${changeName(ask.release.change)}** ${view.state}\n\n${view.waitingFor ?? ''}`);
        // Each signal is billed, and a status asks here: the delivery hears when waiting begins and ends, for lists.
        if (view.state === told) return;
        told = view.state;
        await tell(ask, () => asker(ask).signal(progressed, { askId: ask.id, environment, view }));
      });
      return active;
    },

    async finish({ ask }: Promotion, outcome: Outcome): Promise<void> {
      active = undefined;
      setCurrentDetails('');
      await answer(ask, outcome);
    },

    withdrawActive,

    async refuseAll(reason: string): Promise<void> {
      for (const ask of state.waiting) await answer(ask, { state: 'failed', reason });
    },
  };
}
