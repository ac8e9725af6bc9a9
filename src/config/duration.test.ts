import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, milliseconds } from './duration.ts';

const schema = duration({ least: '10s', most: '2h' });

test.each([
  ['10s', 10_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
])('%s is %d milliseconds', (text, ms) => {
  expect(milliseconds(schema.parse(text))).toBe(ms);
});

test.each(['9s', '121m', '3h', '1d'])(
  '%s is outside what is allowed here, which the message says',
  (text) => {
    expect(schema.safeParse(text).error?.issues[0]?.message).toBe('allowed are 10s to 2h');
  },
);

test.each([
  '',
  '10',
  '10 s',
  '10S',
  '-10s',
  '+10s',
  '0s',
  '010s',
  '1.5h',
  '1e3s',
  '1h30m',
  '10sec',
  '٣s',
  '9999999s',
  10,
  null,
])('%j is no duration', (text) => {
  expect(schema.safeParse(text).success).toBe(false);
});

test('every duration that fits is accepted, and no other', () => {
  const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const unit = fc.constantFrom('s', 'm', 'h', 'd');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), unit, (amount, letter) => {
      const ms = amount * units[letter];
      expect(milliseconds(`${amount}${letter}`)).toBe(ms);
      expect(schema.safeParse(`${amount}${letter}`).success).toBe(ms >= 10_000 && ms <= 7_200_000);
    }),
  );
});
