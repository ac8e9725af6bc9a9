import { stripVTControlCharacters } from 'node:util';
import { bold, dim } from 'yoctocolors';
import type { Listing } from '../client.ts';
import { drawProblems } from './draw-problems.ts';
import { painted } from './draw-steps.ts';
import { durationBetween, harmless, shortChange, shorten } from './text.ts';

/** The tables of `gitops status`: what stands still, the newest changes, then what each environment has of each service. */
export function drawList({ changes, environments, problems }: Listing, now: number, width: number): string {
  const trouble = problems.length === 0 ? [] : [bold('Problems'), ...drawProblems(problems, now, width), ''];
  if (changes.length === 0 && environments.length === 0) {
    const start = 'Nothing has been delivered yet. Start: gitops deliver --service SERVICE --commit SHA';
    return [...trouble, start].join('\n');
  }
  return [
    ...trouble,
    bold('Changes'),
    ...table(
      changes.map(({ change, state, startedAt, subject = '' }) => [
        shortChange(change),
        painted(state),
        dim(`${durationBetween(startedAt, undefined, now)} ago`),
        harmless(subject),
      ]),
      width,
    ),
    '',
    bold('Environments'),
    ...table(
      environments.map(({ service, environment, current, change, state }) => [
        service,
        environment,
        current ? `runs ${commitOf(current.change)}` : dim('nothing of ours yet'),
        state && change !== current?.change ? `${painted(state)} ${commitOf(change ?? '')}` : '',
      ]),
      width,
    ),
  ].join('\n');
}

const commitOf = (change: string): string => (change.split('/')[1] ?? '').slice(0, 10);

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Columns as wide as their widest cell; the last one, which has no colours, takes what is left. */
export function table(rows: string[][], width: number): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, widthOf(cell))),
    [],
  );
  return rows.map((row) => {
    const before = row
      .slice(0, -1)
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell) + 2));
    const left = width - 2 - widthOf(before.join(''));
    const last = row.at(-1) ?? '';
    return `  ${before.join('')}${widthOf(last) === last.length ? shorten(last, Math.max(10, left)) : last}`.trimEnd();
  });
}
