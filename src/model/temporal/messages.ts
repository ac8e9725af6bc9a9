import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Delivery } from '../delivery/delivery.ts';
import type { EnvironmentView } from '../promotion/environment.ts';
import type { Answer, Ask, Progress } from '../promotion/promotion.ts';
import type { Decision, DecisionRequest } from '../decisions/decision.ts';
import type { Recreation } from '../recovery/recreation.ts';

// To a delivery.

/** An environment's answer. One to another ask is ignored. */
export const answered = defineSignal<[Answer]>('answered');
/** How a promotion is getting on: when it begins to wait for people, and when it stops. */
export const progressed = defineSignal<[Progress]>('progressed');
/** Somebody wants the environment asked again now, not only when that is due. */
export const nudge = defineSignal('nudge');
export const deliveryStatus = defineQuery<Delivery>('status');

// To an environment.

/** A delivery asks for a promotion; sent with start. */
export const promote = defineSignal<[Ask]>('promote');
/** The delivery does not want it any more. May overtake its ask. */
export const withdraw = defineSignal<[{ ask: Ask; reason: string }]>('withdraw');
/** A person decides on the change that is waiting for decisions; refused with a reason by its validator. */
export const decide = defineUpdate<Decision, [DecisionRequest]>('decide');
/** The same for callers that cannot wait for the answer; a refusal is only logged. */
export const decideSignal = defineSignal<[DecisionRequest]>('decide');
/** The forge says that something happened to a pull request of ours; it is read again, never believed. */
export const pullRequestChanged = defineSignal<[{ number: number }]>('pullRequestChanged');
export const environmentStatus = defineQuery<EnvironmentView>('status');

// To the look at the repository.

/** Something was pushed: look once more, now. */
export const pollAgain = defineSignal('pollAgain');

// To a recreation.

export const recreationStatus = defineQuery<Recreation>('status');
