import { enteredBy, type Delivery } from '../model/delivery/delivery.ts';
import { isUnderWay } from '../model/promotion/promotion.ts';
import { durationText, harmless, shortChange } from './text.ts';

/**
 * What changed between two looks at a delivery, a line each, for logs that cannot be redrawn. `before` is undefined at
 * the first look. Further lines of an error begin with a bar: CI systems take lines that begin with `::` for commands.
 */
export function deliveryLines(before: Delivery | undefined, after: Delivery, now: Date): string[] {
  const say = (text: string) =>
    `${now.toISOString()} ${shortChange(after.change)} ${harmless(text).replaceAll('\n', '\n  | ')}`;
  const steps = after.steps.flatMap((step, index) => {
    // Steps come at the end when they are planned, and none goes.
    const last = before?.steps[index];
    const was = last?.state ?? 'pending';
    if (step.state === 'waiting') {
      const waitingFor = enteredBy(after, step)?.waitingFor ?? 'something';
      const same = was === 'waiting' && waitingFor === before?.environments[step.name]?.waitingFor;
      return same ? [] : [say(`${step.name} waiting for ${waitingFor}`)];
    }
    if (step.state === was && (step.progress === undefined || step.progress === last?.progress)) return [];
    return [
      say(`${step.name} ${step.state}${took(step)}${because(step.error ?? step.progress)}${logEndOf(step)}`),
    ];
  });
  const ended = !isUnderWay(after) && after.state !== before?.state;
  const known = new Set(before?.problems?.map(({ message }) => message));
  const problems = (after.problems ?? []).filter(({ message }) => !known.has(message));
  return [
    ...steps,
    ...problems.map(({ message, runbook }) =>
      say(`${message}${message.endsWith('.') ? '' : '.'} See ${runbook}.`),
    ),
    ...(ended ? [say(`${after.state}${because(after.reason)}`), ...logsOf(after).map(say)] : []),
  ];
}

function took({ startedAt, finishedAt }: Delivery['steps'][number]): string {
  if (startedAt === undefined || finishedAt === undefined) return '';
  return ` in ${durationText(Date.parse(finishedAt) - Date.parse(startedAt))}`;
}

/** Where no end of it could be shown. */
const logsOf = ({ change, steps }: Delivery): string[] =>
  steps
    .filter(({ state, log, logEnd }) => state === 'failed' && log !== undefined && logEnd === undefined)
    .map(({ name }) => `See its log: gitops logs ${shortChange(change)} --step ${name}`);

const logEndOf = ({ logEnd }: Delivery['steps'][number]): string =>
  logEnd === undefined ? '' : `\nThe log ends:\n${logEnd}`;

const because = (reason: string | undefined): string => (reason === undefined ? '' : `: ${reason}`);
