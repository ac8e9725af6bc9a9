import { expect, test } from 'vitest';
import { endToEndStep, logOrigin, objectKeys } from './object-keys.ts';

const change = { service: 'claims', commit: '3f'.repeat(20) };
const attempt = '1a2b3c4d-12';

test.for([
  ['the tests', objectKeys.log(change, 'test', attempt), 'test', 'test'],
  ['a build', objectKeys.log(change, 'build', attempt), 'build', 'build'],
  ['an end-to-end test', objectKeys.log(change, endToEndStep('pre-prod'), attempt), 'pre-prod', 'end-to-end'],
  ['a container', objectKeys.podLog(change, 'dev', attempt, 'web-2'), 'dev', 'web-2'],
  ['one in an environment called test', objectKeys.podLog(change, 'test', attempt, 'web'), 'test', 'web'],
  ['one called as an attempt', objectKeys.podLog(change, 'dev', attempt, '5e6f7a8b-1'), 'dev', '5e6f7a8b-1'],
] as const)('the key of a log tells who wrote it: %s', ([, key, step, source]) => {
  expect(key.startsWith(objectKeys.logs(change))).toBe(true);
  expect(logOrigin(key)).toEqual({ step, source, run: '1a2b3c4d', attempt: 12 });
});

test('what somebody else put there is no log', () => {
  for (const name of ['notes.txt', 'test.log', 'test-1.log', '.log']) {
    expect(logOrigin(`${objectKeys.logs(change)}${name}`)).toBeUndefined();
  }
});
