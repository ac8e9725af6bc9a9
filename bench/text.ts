import type { Bar, Range, Report } from './harness.ts';

/** A report as people read it. */
export function text(name: string, { sides, ratios, bounds = {}, notes = [] }: Report): string {
  const rows: [string, Range & Bar & { unit?: string; met?: boolean }][] = [
    ...Object.entries(sides),
    ...Object.entries(ratios),
    ...Object.entries(bounds),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const line = ([label, row]: (typeof rows)[number]) =>
    `  ${label.padEnd(width)}  ${figures(row)}${verdict(row)}`;
  return [name, ...rows.map(line), ...notes.map((note) => `  ${note}`), ''].join('\n');
}

function figures({ median, min, max, unit }: Range & { unit?: string }): string {
  const range = min === max ? '' : ` (${number(min)} to ${number(max)})`;
  return `${number(median)}${range}${unit === undefined ? '' : ` ${unit}`}`;
}

function verdict({ atLeast, atMost, met }: Bar & { met?: boolean }): string {
  if (met === undefined) return '';
  const bar = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  return `  ${bar}: ${met ? 'met' : 'MISSED'}`;
}

/** Three digits that count. */
const number = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
