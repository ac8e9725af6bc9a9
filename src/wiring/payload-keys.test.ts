import { expect, test, vi } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { payloadKeysOf } from './payload-keys.ts';

const keysOf = (...keys: object[]) => payloadKeysOf(configuration({ temporal: { codec: { keys } } }));

test('keys are read from where the configuration says, in its order', () => {
  vi.stubEnv('NEW_KEY', Buffer.alloc(32, 1).toString('base64'));
  vi.stubEnv('OLD_KEY', `${Buffer.alloc(32, 2).toString('base64')}\n`);
  expect(keysOf({ id: '2027', key: 'env:NEW_KEY' }, { id: '2026', key: 'env:OLD_KEY' })).toEqual([
    { id: '2027', key: Buffer.alloc(32, 1) },
    { id: '2026', key: Buffer.alloc(32, 2) },
  ]);
  expect(payloadKeysOf(configuration())).toEqual([]);
});

test('one that is too short is refused by its reference, and not shown', () => {
  vi.stubEnv('SHORT_KEY', 'c2VzYW1l');
  const message = (() => {
    try {
      keysOf({ id: '2026', key: 'env:SHORT_KEY' });
      return 'taken';
    } catch (error) {
      return String(error);
    }
  })();
  expect(message).toContain('The secret env:SHORT_KEY is no key: it has 6 bytes in base64, and needs 32.');
  expect(message).not.toMatch(/c2VzYW1l|sesame/);
});

test.each([
  [
    'an ID that stands there twice',
    [
      { id: 'a', key: 'env:A' },
      { id: 'a', key: 'env:B' },
    ],
    'an ID stands there twice',
  ],
  ['a key in the file itself', [{ id: 'a', key: 'c2VzYW1l' }], 'never written here'],
  ['no key', [], 'keys'],
])('%s is refused', (_, keys, message) => {
  expect(() => keysOf(...keys)).toThrow(message);
});
