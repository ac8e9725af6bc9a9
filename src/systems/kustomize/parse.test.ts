import { expect, test } from 'vitest';
import { parseManifests } from './parse.ts';

const object = (spec: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${spec}\n`;
const read = (spec: string): unknown => parseManifests(object(spec))[0]?.object;

test('values are read as Kubernetes reads them', () => {
  expect(read('data: {no: no, octal: 017, day: 2026-11-24, time: 12:30:45, text: "no"}')).toMatchObject({
    data: { false: false, octal: 15, day: '2026-11-24', time: '12:30:45', text: 'no' },
  });
});

test('several documents, empty ones and lists become objects', () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}\n`;
  const found = parseManifests(`---\n${object('')}---\n---\n# nothing\n---\n${list}`);
  expect(found.map(({ kind, namespace, name }) => [kind, namespace, name])).toEqual([
    ['ConfigMap', '', 'a'],
    ['Secret', 'ns', 's'],
  ]);
  expect(parseManifests('')).toEqual([]);
});

test.each([
  ['a key twice', object('data: {a: 1, a: 2}')],
  ['an unknown tag', object('data: !!js/function "x"')],
  ['no object', 'hello'],
  ['an object without a name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}'],
  ['nesting without end', object(`data: ${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
  ['nesting deeper than any object', object(`data: ${'['.repeat(150)}${']'.repeat(150)}`)],
  [
    'an alias bomb',
    object(
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((key, i) => `${key}: &${key} [${`*${'abcdefgh'[i]},`.repeat(9)}]`)
        .join('\n')}`,
    ),
  ],
])('%s is refused', (_, text) => {
  expect(() => parseManifests(text)).toThrow(expect.objectContaining({ name: 'KustomizeError' }));
});

test('a map of very many keys is read at once', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `  key${index}: x\n`).join('');
  // Whoever compares each pair of them does not end.
  expect(
    parseManifests(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n${keys}`),
  ).toHaveLength(1);
});
