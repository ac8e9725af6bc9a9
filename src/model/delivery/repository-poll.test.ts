import { expect, test } from 'vitest';
import { pullRequestNews } from './repository-poll.ts';

const at = (updatedAt: string) => ({ environment: 'staging', service: 'api', updatedAt });

test.each([
  ['opened', {}, { 7: at('1') }],
  ['changed', { 7: at('1') }, { 7: at('2') }],
  ['closed or merged', { 7: at('1') }, {}],
])('a pull request that was %s since the last look is news', (_, before, now) => {
  expect(pullRequestNews(before, now)).toEqual([{ number: 7, environment: 'staging', service: 'api' }]);
});

test('one that is as it was is none, however long people think', () => {
  expect(pullRequestNews({ 7: at('1') }, { 7: at('1') })).toEqual([]);
});
