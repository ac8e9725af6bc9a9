import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What stands below each heading of what can happen. */
const outcomes = read('docs/outcomes.md')
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const [what = '', , happens = ''] = text.split('\n');
    const [, toDo = ''] = /^- \*\*To do\*\*: (.+)$/m.exec(text) ?? [];
    const [, file = '', name = ''] = /^- \*\*Shown by\*\*: `([^`]+)` `([^`]+)`$/m.exec(text) ?? [];
    return { what, happens, toDo, file, name };
  });

test('docs/outcomes.md has outcomes, each once', () => {
  expect(outcomes.length).toBeGreaterThan(100);
  const headings = outcomes.map(({ what }) => what);
  expect(headings.filter((what, index) => headings.indexOf(what) !== index)).toEqual([]);
});

/** Words for what stands elsewhere on the page, or in the message: who comes by a search has only this one outcome. */
const elsewhere =
  /^(That|The same|As it says|What it says|One of|Do one of|Take one of those)\b|\bthe same$|: The same\b/;

test.each(outcomes)('$what: says what happens and what to do, and names a test that there is', (outcome) => {
  const { what, happens, toDo, file, name } = outcome;
  expect([what, happens, toDo].filter((text) => elsewhere.test(text))).toEqual([]);
  expect(toDo).toMatch(/^\S.*\.$/);
  const source = read(file);
  expect(
    ["'", '"', '`'].some(
      (quote) => source.includes(`(${quote}${name}${quote}`) || source.includes(`  ${quote}${name}${quote}`),
    ),
  ).toBe(true);
});
