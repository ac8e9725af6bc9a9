import { bold, cyan, dim, green, red } from 'yoctocolors';
import type { Phase, Recreation } from '../model/recovery/recreation.ts';
import { durationBetween, harmless, wrap } from './text.ts';

const looks: Record<Phase['state'], { mark: string; paint: (text: string) => string }> = {
  pending: { mark: '○', paint: dim },
  running: { mark: '▶', paint: cyan },
  succeeded: { mark: '✔', paint: green },
  failed: { mark: '✖', paint: red },
};

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
  const nameWidth = Math.max(...phases.map(({ name }) => name.length)) + 2;
  const indent = 4 + nameWidth + 9;
  const body = phases.flatMap((phase) => {
    const { mark, paint } = looks[phase.state];
    const took = phase.startedAt === undefined ? '' : durationBetween(phase.startedAt, phase.finishedAt, now);
    const [first, ...more] = notes(phase).flatMap((note) =>
      wrap(harmless(note), Math.max(20, width - indent)),
    );
    const named = `  ${paint(mark)} ${paint(phase.name)}`;
    const head = took === '' ? named : named + dim(took.padStart(nameWidth - phase.name.length + 7));
    return [
      first === undefined ? head : `${head}  ${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
    ];
  });
  const total = durationBetween(startedAt, finishedAt, now);
  return [
    `${bold(nameOf(recreation))}${from}`,
    '',
    ...body,
    '',
    `  ${looks[state].paint(`${looks[state].mark} ${state}`)} ${dim(total)}`,
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
