import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactly } from './exact-json.ts';

test('numbers that JavaScript cannot hold come out as they stood, wherever they stand', () => {
  const digits = fc.stringMatching(/^-?[1-9]\d{16,30}$/);
  const places = fc.constantFrom('N', '[N]', '[1,N]', '{"a":N}', '{"a": N}', '{"a":[{"b":1,"c":[2, N]}]}');
  fc.assert(
    fc.property(digits, places, (number, place) => {
      const text = place.replace('N', number);
      expect(JSON.stringify(parseExactly(text))).toBe(text.replaceAll(' ', ''));
    }),
  );
});

test('all else is what JSON says', () => {
  const asText = (value: unknown) => JSON.stringify(value);
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(asText(parseExactly(text))).toBe(asText(JSON.parse(text)));
    }),
  );
  const hashes = '{"revision":"1234567890123456789012345678901234567890","tag":"a1234567890123456"}';
  expect(parseExactly(hashes)).toEqual(JSON.parse(hashes));
});
