import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseReleaseKustomization, releaseKustomization } from './release.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });
const release = fc.record(
  {
    change: fc.record({ service: fc.constantFrom('claims', 'fhir-gateway'), commit: hex(40) }),
    image: fc.record({
      name: fc.constant('localhost:5000/a/b'),
      digest: hex(64).map((text) => `sha256:${text}`),
    }),
  },
  { requiredKeys: ['change'] },
);

const image = { name: 'localhost:5000/a/b', digest: `sha256:${'0'.repeat(64)}` };
/** Hexadecimal digits of which YAML might make a number. */
const numeric = (...digits: string[]) =>
  fc.string({ unit: fc.constantFrom(...digits), minLength: 40, maxLength: 40 });

test('a commit is text to every reader of YAML, also one that looks like a number', () => {
  const commits = fc.oneof(
    hex(40),
    numeric(...'0123456789'.split('')),
    numeric(...'01234567'.split('')).map((text) => `0${text.slice(1)}`),
    numeric(...'01'.split('')).map((text) => `0b${text.slice(2)}`),
    fc
      .tuple(numeric(...'0123456789'.split('')), fc.integer({ min: 1, max: 39 }))
      .map(([text, at]) => `${text.slice(0, at)}e${text.slice(at + 1)}`),
  );
  fc.assert(
    fc.property(
      commits,
      fc.constantFrom('1.1' as const, '1.2' as const, 'core' as const),
      (commit, reader) => {
        const written = releaseKustomization({ change: { service: 'claims', commit }, image });
        const options = reader === 'core' ? { schema: 'core' } : { version: reader };
        expect(parse(written, options)).toMatchObject({ images: [{ newTag: commit }] });
      },
    ),
    { numRuns: 1000 },
  );
});

test('a commit that is no number stands as every release has written it', () => {
  const commit = 'f00d'.repeat(10);
  expect(releaseKustomization({ change: { service: 'claims', commit }, image })).toContain(
    `newTag: ${commit}\n`,
  );
});

test('what was written is read back', () => {
  fc.assert(
    fc.property(release, ({ change, image }) => {
      const written = image ? { change, image } : { change };
      expect(parseReleaseKustomization(releaseKustomization(written))).toEqual(written);
    }),
  );
});

test('a file that a person touched is not taken for that release', () => {
  fc.assert(
    fc.property(release, fc.nat(), fc.constantFrom('x', '\n', ' ', '#'), ({ change, image }, at, more) => {
      const written = image ? { change, image } : { change };
      const text = releaseKustomization(written);
      const place = at % (text.length + 1);
      expect(parseReleaseKustomization(text.slice(0, place) + more + text.slice(place))).not.toEqual(written);
    }),
  );
});
