import type { Change, Image, Source } from './change.ts';
import { codeBlock, inlineCode } from '../text/markdown.ts';
import { marks } from '../text/marks.ts';
import type { PromotionSettings, PromotionState, PromotionView } from '../promotion/promotion.ts';
import type { Silence } from '../temporal/silence.ts';
import type { Problem } from '../temporal/problem.ts';

/** What `verify` decided that a delivery does. */
export interface Plan {
  source: Source;
  test: boolean;
  /** `none`: a service without image, or a change of overlays alone. `given`: CI built it. */
  image: 'none' | 'build' | 'given';
  /** In order. */
  environments: { name: string; settings: PromotionSettings; onto?: Change }[];
  /** See `Release`. */
  removes?: true;
  /** Where the configuration has another than the usual one. */
  silence?: Silence;
}

export interface DeliveryInput {
  platform: string;
  change: Change;
  /** `REF@DIGEST` that CI built; without it the image is built here. */
  image?: string;
}

export interface Step {
  name: string;
  state: 'pending' | PromotionState;
  /** ISO 8601 */
  startedAt?: string;
  finishedAt?: string;
  error?: string;
  /** While it runs: what a wait waits for, or why the last attempt failed. Only a status that was just asked for has it. */
  progress?: string;
  /** Key of the log in the object store. */
  log?: string;
  /** How the logs end that belong to an error. Only a status that was just asked for has it: histories hold no logs. */
  logEnd?: string;
}

/** What the failure of a step carries beside its message: keys of logs in the object store. */
export interface FailureLogs {
  logs: string[];
}

/** One time that a change was delivered. */
export interface Attempt {
  state: PromotionState;
  /** ISO 8601 */
  startedAt: string;
  finishedAt?: string;
}

/** A change's status, as the query `status`, `status --json` and the final document show it. */
export interface Delivery {
  /** `<service>/<sha>` */
  change: string;
  service: string;
  commit: string;
  subject?: string;
  state: PromotionState;
  waitingFor?: string;
  /** How it ended, when it did not succeed. */
  reason?: string;
  image?: { reference: string; digest: string };
  /** Whether it changes overlays and nothing else: what is released stays. */
  overlaysOnly?: true;
  steps: Step[];
  environments: Record<string, PromotionView>;
  /** The other times that it was delivered, newest first. Only the stored document and a status that was just asked for have them. */
  attempts?: Attempt[];
  /** What it cannot get over by itself. Only a status that was just asked for has them. */
  problems?: Problem[];
}

export const imageReference = ({ name, digest }: Image): string => `${name}@${digest}`;

/** The step that enters an environment: the last of the name, since one may be called as a delivery's own step is. */
export const stepInto = ({ steps }: Pick<Delivery, 'steps'>, environment: string): Step | undefined =>
  steps.findLast(({ name }) => name === environment);

/** How a change stands in the environment that one of its steps enters. */
export const enteredBy = (delivery: Delivery, step: Step): PromotionView | undefined =>
  stepInto(delivery, step.name) === step ? delivery.environments[step.name] : undefined;

/** The delivery as Markdown, for the Temporal UI. */
export function describeDelivery({ change, subject, steps, state, reason }: Delivery): string {
  return [
    `**${change}**${subject === undefined ? '' : ` ${inlineCode(subject)}`}`,
    '',
    ...steps.map(({ name, state }) => `- ${marks[state]} ${name}${state === 'pending' ? '' : ` (${state})`}`),
    // What for, and how much of it has come, its environment knows.
    ...(state === 'waiting' ? ['', `Waits for people: ${inlineCode(`gitops status ${change}`)}`] : []),
    ...(reason === undefined ? [] : ['', codeBlock(reason)]),
  ].join('\n');
}
