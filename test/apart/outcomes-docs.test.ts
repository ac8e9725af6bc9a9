import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What stands below each heading of what can happen. */
const outcomes = read('docs/outcomes.md')
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const [what = ''] = text.split('\n');
    const [, toDo = ''] = /^- \*\*To do\*\*: (.+)$/m.exec(text) ?? [];
    const [, file = '', name = ''] = /^- \*\*Shown by\*\*: `([^`]+)` `([^`]+)`$/m.exec(text) ?? [];
    return { what, toDo, file, name };
  });

test('docs/outcomes.md has outcomes, each once', () => {
  expect(outcomes.length).toBeGreaterThan(100);
  const headings = outcomes.map(({ what }) => what);
  expect(headings.filter((what, index) => headings.indexOf(what) !== index)).toEqual([]);
});

test.each(outcomes)('$what: says what to do, and names a test that there is', ({ toDo, file, name }) => {
  expect(toDo).toMatch(/^(?!That|The same)\S.*\.$/);
  const source = read(file);
  expect(
    ["'", '"', '`'].some(
      (quote) => source.includes(`(${quote}${name}${quote}`) || source.includes(`  ${quote}${name}${quote}`),
    ),
  ).toBe(true);
});
