import { stripVTControlCharacters } from 'node:util';
import { bold, dim, red } from 'yoctocolors';
import type { Listing } from '../client.ts';
import type { Live } from '../model/promotion/drift.ts';
import { drawProblems } from './draw-problems.ts';
import { drawDrift } from './draw-drift.ts';
import { painted } from './draw-steps.ts';
import type { ShortListing } from './short-list.ts';
import { durationBetween, harmless, shortChange, shorten } from './text.ts';

const start = 'Nothing has been delivered yet. Start: gitops deliver --service SERVICE --commit SHA';

/**
 * The tables of `gitops status`: what stands still, changes, then what was promoted of each service into each environment, and
 * how it is there now.
 *
 * @param chosen what the list was asked for, where that is not all
 */
export function drawList(
  listing: Listing | ShortListing,
  now: number,
  width: number,
  chosen: string | undefined,
): string {
  const { changes, environments, problems } = listing;
  const leftOut = 'leftOut' in listing ? listing.leftOut : { changes: 0, environments: 0 };
  const trouble = problems.length === 0 ? [] : [bold('Problems'), ...drawProblems(problems, now, width), ''];
  if (changes.length + leftOut.changes === 0 && environments.length === 0) {
    return [
      ...trouble,
      chosen ? `Nothing is known of ${chosen}. See all there is: gitops status --all` : start,
    ].join('\n');
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
    ...more(leftOut.changes, 'that ended'),
    '',
    bold('Environments'),
    ...table(
      environments.map(({ service, environment, current, change, state, live }) => [
        service,
        environment,
        current ? commitOf(current.change) : dim('nothing of ours yet'),
        live ? standing(live) : dim('not looked at'),
        state && change !== current?.change ? `${painted(state)} ${commitOf(change ?? '')}` : '',
      ]),
      width,
    ),
    ...more(leftOut.environments, 'as promoted'),
    ...environments.flatMap(({ service, environment, live }) =>
      live?.drift ? drawDrift(live.drift, now, width, `${service} in ${environment}: `) : [],
    ),
  ].join('\n');
}

const more = (count: number, which: string): string[] =>
  count === 0 ? [] : [dim(`  Not shown: ${count} ${which} (gitops status --all)`)];

const standing = ({ sync, health, drift }: Live): string =>
  (drift === undefined ? dim : red)(`${sync}, ${health}`);

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
