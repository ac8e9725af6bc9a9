import fc from 'fast-check';
import { expect, test } from 'vitest';
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
