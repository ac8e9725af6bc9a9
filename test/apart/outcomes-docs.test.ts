import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Rows of all tables of the page, as cells; heads and rules left out. */
const rows = read('docs/outcomes.md')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (What happens|-)/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |\|$/g, '').trim()));

/** What a cell shows as code. */
const code = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

test('docs/outcomes.md has rows, and every row names its state and its test', () => {
  expect(rows.length).toBeGreaterThan(50);
  for (const row of rows) expect([row[0], row.length, code(row[4] ?? '').length]).toEqual([row[0], 5, 2]);
});

test.each(rows)('$0: the test exists', (...cells) => {
  const [file = '', name = ''] = code(cells[4] ?? '');
  const source = read(file);
  expect(
    ["'", '"', '`'].some(
      (quote) => source.includes(`(${quote}${name}${quote}`) || source.includes(`  ${quote}${name}${quote}`),
    ),
  ).toBe(true);
});
