import { bold, dim } from 'yoctocolors';
import type { Phase, Recreation } from '../model/recovery/recreation.ts';
import { drawSteps, painted } from './draw-steps.ts';
import { durationBetween, harmless, wrap } from './text.ts';

const nameOf = ({ cluster, drill }: Recreation): string =>
  `${drill ? 'drill for' : 'recreation of'} ${cluster}`;

/**
 * The recreation as a picture: a line a phase, with its duration and how far it is.
 *
 * @param now milliseconds since the epoch: what runs is measured against it
 * @param width of the terminal, in columns
 */
export function drawRecreation(recreation: Recreation, now: number, width: number): string {
  const { plan, phases, state, reason, startedAt, finishedAt } = recreation;
  const from = plan ? `  ${dim(`from ${plan.backup.key}`)}` : '';
  const total = durationBetween(startedAt, finishedAt, now);
  return [
    `${bold(nameOf(recreation))}${from}`,
    '',
    ...drawSteps(phases, now, width, (phase, left) =>
      notes(phase).flatMap((note) => wrap(harmless(note), left)),
    ),
    '',
    `  ${painted(state)} ${dim(total)}`,
    ...(reason === undefined ? [] : wrap(harmless(reason), width - 2).map((line) => `  ${line}`)),
  ].join('\n');
}

const notes = ({ detail, progress }: Phase): string[] =>
  [detail, progress].filter((note) => note !== undefined);

/** What changed between two looks at it, a line each, for logs that cannot be redrawn. */
export function recreationLines(before: Recreation | undefined, after: Recreation, now: Date): string[] {
  const say = (text: string) =>
    `${now.toISOString()} ${nameOf(after)}: ${harmless(text).replaceAll('\n', '\n  | ')}`;
  const phases = after.phases.flatMap((phase) => {
    const was = before?.phases.find(({ name }) => name === phase.name);
    const same =
      phase.state === (was?.state ?? 'pending') && notes(phase).join() === notes(was ?? phase).join();
    if (same) return [];
    const took =
      phase.startedAt !== undefined && phase.finishedAt !== undefined
        ? ` in ${durationBetween(phase.startedAt, phase.finishedAt, now.getTime())}`
        : '';
    const told = notes(phase).map((note) => `: ${note}`);
    return [say(`${phase.name} ${phase.state}${took}${told.join('')}`)];
  });
  const ended = after.state !== 'running' && after.state !== before?.state;
  return [...phases, ...(ended ? [say(`${after.state}: ${after.reason ?? ''}`)] : [])];
}
