import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob } from './glob.ts';

test.each([
  ['*', '', true],
  ['*', 'https://a/b', true],
  ['**', 'a/b', true],
  ['*-production', 'claims-production', true],
  ['*-production', 'claims-production-2', false],
  ['claims-?', 'claims-a', true],
  ['claims-?', 'claims-', false],
  ['claims-?', 'claims-ab', false],
  ['https://*', 'https://eu.example:6443', true],
  ['a.b', 'axb', false],
  ['a+(b)|c^$', 'a+(b)|c^$', true],
  ['[abc]x', 'bx', true],
  ['[abc]x', 'dx', false],
  ['[!abc]x', 'dx', true],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[ab-]x', '-x', true],
  // Several ranges in one class are none for Argo CD.
  ['[a-c0-9]x', 'bx', false],
  ['[a-c0-9]x', '[a-c0-9]x', false],
  ['{dev,staging}-*', 'staging-claims', true],
  ['{dev,staging}-*', 'production-claims', false],
  ['{a,b{c,d}}', 'bd', true],
  ['{a,b{c,d}}', 'b', false],
  ['a,b}', 'a,b}', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['\\{a\\}', '{a}', true],
  ['[abc', '[abc', false],
  ['{a,b', 'a', false],
  // Kubernetes and cron have negations, Argo CD's windows have none.
  ['!claims', 'claims', false],
  ['!claims', '!claims', true],
])('%s against %s is %s', (pattern, text, matches) => {
  expect(matchesGlob(pattern, text)).toBe(matches);
});

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });

test('whatever comes: a quoted text matches itself alone, and a star around it whatever holds it', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (text, before, after) => {
      const quoted = text.replaceAll(/[*?[\]{},\\!-]/g, String.raw`\$&`);
      expect(matchesGlob(quoted, text)).toBe(true);
      expect(matchesGlob(quoted, `${text}x`)).toBe(false);
      expect(matchesGlob(`*${quoted}*`, before + text + after)).toBe(true);
    }),
  );
});

test('whatever comes: any pattern is read, and none throws', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('ab*?[]{},\\!-^/.')) }),
      anyText,
      (pattern, text) => {
        expect(typeof matchesGlob(pattern, text)).toBe('boolean');
      },
    ),
    { numRuns: 2000 },
  );
});
