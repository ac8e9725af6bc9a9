import { expect, test } from 'vitest';
import { shownWords, sortAnswer } from './answers.ts';

const sorted = (status: number, text = '', headers: Record<string, string> = {}) =>
  sortAnswer({ status, text, header: (name) => headers[name] });

test.each([
  [401, 'Bad credentials', 'auth'],
  [403, 'Resource not accessible by personal access token', 'forbidden'],
  [403, 'Resource protected by organization SAML enforcement.', 'forbidden'],
  [403, 'API rate limit exceeded for user ID 1.', 'rate-limited'],
  [
    403,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    'rate-limited',
  ],
  [403, 'You have triggered an abuse detection mechanism and have been temporarily blocked.', 'rate-limited'],
  [423, 'bakery/platform is archived', 'forbidden'],
  [451, 'Repository access blocked', 'forbidden'],
  [301, 'Moved Permanently', 'missing'],
  [404, 'Not Found', 'missing'],
  [410, 'Gone', 'missing'],
  [422, 'Validation Failed', 'invalid'],
  [429, 'toomanyrequests: You have reached your pull rate limit.', 'rate-limited'],
  [408, '', 'unavailable'],
  [500, '', 'unavailable'],
  [503, '', 'unavailable'],
] as const)('%i %s is %s', (status, text, kind) => {
  expect(sorted(status, text).kind).toBe(kind);
});

test('how long to wait is what the other side says, and a minute where a limit says nothing', () => {
  const inTwoMinutes = Date.now() + 120_000;
  const reset = String(Math.ceil(inTwoMinutes / 1000));
  expect(sorted(429, '', { 'retry-after': '7' }).retryAfterMs).toBe(7000);
  expect(sorted(503, '', { 'retry-after': '7' })).toEqual({ kind: 'unavailable', retryAfterMs: 7000 });
  expect(sorted(403, '', { 'retry-after': '7' })).toEqual({ kind: 'rate-limited', retryAfterMs: 7000 });
  for (const told of [
    sorted(429, '', { 'retry-after': new Date(inTwoMinutes).toUTCString() }),
    sorted(403, '', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }),
    sorted(429, '', { 'x-ratelimit-reset': reset }),
  ]) {
    expect(told.kind).toBe('rate-limited');
    expect(told.retryAfterMs).toBeGreaterThan(115_000);
    expect(told.retryAfterMs).toBeLessThanOrEqual(121_000);
  }
  for (const nothing of ['soon', '0', '-1', new Date(0).toUTCString()]) {
    expect(sorted(429, '', { 'retry-after': nothing }).retryAfterMs).toBe(60_000);
  }
  // The primary limit is not spent, so its reset is not what is waited for.
  expect(
    sorted(403, 'secondary rate limit', { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': reset }),
  ).toEqual({ kind: 'rate-limited', retryAfterMs: 60_000 });
  expect(sorted(502).retryAfterMs).toBeUndefined();
});

test.each([
  ['Permission denied.\n', 'Permission denied.'],
  ['<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>', '502 Bad Gateway'],
  ['red \u001b[31malert\u001b[0m\r\n  text', 'red [31malert [0m text'],
  ['at https://bot:s3cret@forge.example/a/b.git', 'at https://forge.example/a/b.git'],
  ['at https://forge.example/sso?request=s3cret#part and on', 'at https://forge.example/sso and on'],
  ['Authorization: Bearer abcdefghijklmnopqrstuvwxyz', 'Authorization: Bearer …'],
  ['with ghp_abcdefghijklmnop1234', 'with ghp_…'],
  ['HTTP Basic: Access denied', 'HTTP Basic: Access denied'],
])('of %j is shown %j', (text, shown) => {
  expect(shownWords(text)).toBe(shown);
});
