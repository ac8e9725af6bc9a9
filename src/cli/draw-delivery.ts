import { bold, dim, yellow } from 'yoctocolors';
import { enteredBy, type Delivery, type Step } from '../model/delivery/delivery.ts';
import type { Decision } from '../model/decisions/decision.ts';
import type { PromotionView } from '../model/promotion/promotion.ts';
import { drawDrift } from './draw-drift.ts';
import { drawProblems } from './draw-problems.ts';
import { drawSteps, painted } from './draw-steps.ts';
import { harmless, shortChange, shorten, wrap } from './text.ts';

/** What went wrong may be long; more than a screen of it helps nobody here. */
const mostLines = 24;

/**
 * The pipeline as a picture: a line a step with its duration, and below it what is waited for and how to act on it.
 *
 * @param now milliseconds since the epoch: running steps are measured against it
 * @param width of the terminal, in columns
 */
export function drawDelivery(delivery: Delivery, now: number, width: number): string {
  const { change, subject, state, reason, overlaysOnly, steps, attempts = [], problems = [] } = delivery;
  const title = `${shortChange(change)}${subject === undefined ? '' : `  ${harmless(subject)}`}`;
  const body = drawSteps(steps, now, width, (step, left) => notes(delivery, step, now, left));
  const told = steps.some(({ error }) => error !== undefined);
  return [
    bold(shorten(title, width)),
    ...(overlaysOnly ? [dim('Only overlays change: nothing is built, and what is released stays.')] : []),
    '',
    // One whose code cannot answer shows no steps.
    ...(body.length === 0 ? [] : [...body, '']),
    `  ${painted(state, conclusion(delivery))}`,
    ...(reason === undefined || told ? [] : wrap(harmless(reason), width - 2).map((line) => `  ${line}`)),
    ...attempts.map(({ state: ended, startedAt }) => dim(`  delivered before: ${startedAt}, ${ended}`)),
    ...drawProblems(problems, now, width),
  ].join('\n');
}

function conclusion({ state, waitingFor, change }: Delivery): string {
  if (state === 'waiting') return `waiting for ${harmless(waitingFor ?? 'something')}`;
  if (state === 'failed')
    return `failed. Deliver a fix, or start it again: gitops retry ${shortChange(change)}`;
  return state;
}

/** What stands beside and below a step. */
function notes(delivery: Delivery, step: Step, now: number, width: number): string[] {
  if (step.error !== undefined) {
    return [...longNotes(step.error, width), ...logNotes(delivery, step, width)];
  }
  if (step.progress !== undefined) return longNotes(step.progress, width).map((line) => dim(line));
  const environment = enteredBy(delivery, step);
  if (environment) return environmentNotes(delivery, step.name, environment, now, width);
  if (step.name === 'build' && delivery.image) return [dim(delivery.image.reference)];
  return [];
}

function logNotes({ change }: Delivery, { name, logEnd }: Step, width: number): string[] {
  if (logEnd === undefined) return [];
  return ['The log ends:', ...longNotes(logEnd, width), `gitops logs ${shortChange(change)} --step ${name}`];
}

function longNotes(text: string, width: number): string[] {
  const lines = wrap(harmless(text).trimEnd(), width);
  return lines.length <= mostLines ? lines : ['…', ...lines.slice(-mostLines)];
}

function environmentNotes(
  delivery: Delivery,
  name: string,
  view: PromotionView,
  now: number,
  width: number,
): string[] {
  if (view.state === 'waiting') return waitingNotes(delivery, name, view, width);
  const { revision, reason, pullRequest, live } = view;
  const { sync, health } = live ?? view;
  // What it saw when it was promoted may be long ago.
  const then = live === undefined && view.state === 'succeeded' ? ' then' : '';
  const standing = sync === undefined ? '' : `${sync}, ${health}${then}`;
  const facts = [standing, revision === undefined ? '' : `revision ${revision.slice(0, 10)}`]
    .filter((fact) => fact !== '')
    .join(', ');
  return [
    ...(facts === '' ? [] : [dim(facts)]),
    ...(live?.change === undefined ? [] : [dim(`${shortChange(live.change)} was promoted since`)]),
    ...(live?.drift ? drawDrift(live.drift, now, width) : []),
    ...(reason === undefined ? [] : wrap(harmless(reason), width)),
    ...(view.state === 'running' && pullRequest ? [dim(pullRequest.url)] : []),
  ];
}

const decisionLine = ({ verdict, by, reason }: Decision): string =>
  harmless(
    `${verdict === 'approve' ? '✔ approved' : '✖ rejected'} by ${by}${reason === undefined ? '' : `: ${reason}`}`,
  );

function waitingNotes({ change }: Delivery, name: string, view: PromotionView, width: number): string[] {
  const {
    waitingFor = 'something',
    pullRequest,
    manifestsDigest,
    summary,
    decisions = [],
    voided = [],
  } = view;
  const link = pullRequest && !waitingFor.includes(pullRequest.url) ? [pullRequest.url] : [];
  const asked = manifestsDigest !== undefined;
  return [
    ...wrap(`waiting for ${harmless(waitingFor)}`, width).map((line) => yellow(line)),
    ...link,
    ...(summary === undefined ? [] : wrap(harmless(summary), width)),
    ...decisions.map(decisionLine),
    ...voided.map((decision) => dim(`${decisionLine(decision)} (void: the manifests have changed since)`)),
    ...(asked ? [`gitops approve ${shortChange(change)} --environment ${name}`] : []),
  ];
}
