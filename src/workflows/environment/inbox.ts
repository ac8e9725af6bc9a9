import {
  ApplicationFailure,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  type ExternalWorkflowHandle,
} from '@temporalio/workflow';
import { changeName } from '../../model/delivery/change.ts';
import { refuseDecision } from '../../model/decisions/refuse-decision.ts';
import type {
  EnvironmentInput,
  EnvironmentState,
  UnfinishedPromotion,
} from '../../model/promotion/environment.ts';
import {
  askSchema,
  pullRequestChangeSchema,
  refusedAskSchema,
  withdrawalSchema,
} from '../../model/temporal/input-schemas.ts';
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
import { issueText } from '../../model/text/issue-text.ts';
import { onSignal } from '../input-checks.ts';
import { failureText } from '../failure-text.ts';
import { environmentView, shown } from './environment-view.ts';
import { begun, goesInstead, newPromotion, replacedBy, unfinished, type Promotion } from './promotion.ts';
import { askedAgain, decided, newerCame, pullRequestMoved, withdrawn } from './promotion-events.ts';

/** So many ended asks are known by heart; an older one is judged by its position. */
const remembered = 50;

const longestReason = 300;

function brief({ outcome: { state, reason }, ...entry }: Answered): Answered {
  return {
    ...entry,
    outcome: { state, ...(reason !== undefined && { reason: reason.slice(0, longestReason) }) },
  };
}
type Answered = EnvironmentState['answered'][number];

export type Inbox = ReturnType<typeof openInbox>;

/** Where asks, withdrawals and decisions come in and answers go out. */
export function openInbox(input: EnvironmentInput, state: EnvironmentState, since02: boolean) {
  const { environment, service } = input;
  // What the run before this one did not finish is under way before anything comes in.
  let active = state.unfinished && take(state.unfinished);
  delete state.unfinished;

  const isOurs = ({ release }: Ask): boolean => release.change.service === service;

  async function answer(ask: Ask, outcome: Outcome): Promise<void> {
    const entry = { askId: ask.id, change: ask.release.change, position: positionOf(ask), outcome };
    const others = state.answered.filter(({ askId }) => askId !== ask.id);
    const all = [...others, entry].slice(-remembered);
    state.answered = all.map((one, i) => (i < all.length - shown ? brief(one) : one));
    await sendAnswer(ask, outcome);
  }

  const sendAnswer = ({ id, asker }: Pick<Ask, 'id' | 'asker'>, outcome: Outcome): Promise<void> =>
    tell(asker, (delivery) => delivery.signal(answered, { askId: id, environment, outcome }));

  /** A delivery that somebody terminated is gone, and nothing is owed to it: what it asked for ends. */
  async function tell(
    { workflowId }: Pick<Ask['asker'], 'workflowId'>,
    send: (delivery: ExternalWorkflowHandle) => Promise<void>,
  ): Promise<void> {
    try {
      await send(getExternalWorkflowHandle(workflowId));
    } catch (error) {
      log.warn('the delivery that asked is gone', { workflowId, reason: failureText(error) });
      if (since02 && active?.ask.asker.workflowId === workflowId) {
        withdrawActive('Its delivery was terminated.');
      }
    }
  }

  const showProgress = ({ id, asker }: Ask, view: PromotionView): Promise<void> =>
    tell(asker, (delivery) => delivery.signal(progressed, { askId: id, environment, view }));

  function withdrawActive(reason: string): void {
    if (active) withdrawn(active, reason);
  }

  function take(promotion: UnfinishedPromotion): Promotion {
    const { ask } = promotion;
    let told = promotion.view.state;
    return newPromotion({ input, state, since02 }, promotion, async (view) => {
      setCurrentDetails(`**${changeName(ask.release.change)}** ${view.state}\n\n${view.waitingFor ?? ''}`);
      // Each signal is billed, and a status asks here: the delivery hears when waiting begins and ends, for lists.
      if (view.state === told) return;
      told = view.state;
      await showProgress(ask, view);
    });
  }

  const supersede = (ask: Ask, by: Ask) =>
    answer(ask, {
      state: 'superseded',
      reason: goesInstead(by),
    });

  /** Who asked would wait for an answer for ever. */
  async function refuse(received: unknown, problems: string): Promise<void> {
    const { data: ask } = refusedAskSchema.safeParse(received);
    if (!since02 || !ask) return;
    const reason = `${environment} cannot read what it was asked: ${problems}. Look whether all workers are of one release, then deliver the change again.`;
    await sendAnswer(ask, { state: 'failed', reason });
  }

  async function enqueue(ask: Ask): Promise<void> {
    if (active?.ask.id === ask.id) {
      askedAgain(active, ask.asker);
      // It asks again, so it does not know.
      return since02 && active.view.state === 'waiting' ? showProgress(ask, active.view) : undefined;
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
    state.waiting = state.waiting.filter((one) => !superseded.includes(one));
    if (active && replacedBy(active)) newerCame(active);
    for (const old of superseded) await supersede(old, next);
    // People may be asked for days: a delivery that was terminated meanwhile must not hold up the next one for so long.
    if (since02 && active?.view.state === 'waiting') await showProgress(active.ask, active.view);
  }
  onSignal(promote, askSchema.refine(isOurs, 'is for another service'), enqueue, refuse);

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
    (received, problems) => refuse((received as { ask?: unknown } | undefined)?.ask, problems),
  );

  onSignal(pullRequestChanged, pullRequestChangeSchema, ({ number }) => {
    if (active) pullRequestMoved(active, number);
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
    decided(active, call, decision);
    return decision;
  }

  const refusalOf = (request: unknown): string | undefined => {
    const parsed = decisionRequestSchema.safeParse(request);
    if (!parsed.success) return issueText(parsed.error.issues);
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

  setHandler(environmentStatus, () => environmentView(input, state, active));

  return {
    supersede,

    /** What is under way: begun, or left by the run before this one. */
    active: (): Promotion | undefined => active,

    begin(ask: Ask): Promotion {
      upsertSearchAttributes([
        { key: attributes.commit, value: ask.release.change.commit },
        { key: attributes.state, value: 'running' },
      ]);
      active = take(begun(ask));
      return active;
    },

    async finish({ ask }: Promotion, outcome: Outcome): Promise<void> {
      active = undefined;
      setCurrentDetails('');
      await answer(ask, outcome);
    },

    withdrawActive,

    /** What the next run is to know. */
    carried: (): EnvironmentState => ({ ...state, ...(active && { unfinished: unfinished(active) }) }),

    /** Those too that come while the others are told, or they would wait until they ask again. */
    async refuseAll(reason: string): Promise<void> {
      for (let ask = state.waiting.shift(); ask; ask = state.waiting.shift()) {
        await answer(ask, { state: 'failed', reason });
      }
    },
  };
}
