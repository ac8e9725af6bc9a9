import { expect, test } from 'vitest';
import { cannotMigrate } from './migration.ts';

test.for([
  ['v3.6.1', 'v3.6.1', 'can'],
  ['v3.6.1', 'v3.2.0', 'can'],
  ['2.14.3', 'v3.6.1', 'can'],
  [undefined, 'v3.6.1', 'can'],
  ['v2.14.3', undefined, 'can'],
  ['v4.0.0', 'v3.6.1', 'cannot'],
  ['v1.8.7', 'v3.6.1', 'cannot'],
  ['v10.0.0', 'v9.9.9', 'cannot'],
] as const)('what Argo CD %s left, %s %s take over', ([from, to, outcome]) => {
  expect(cannotMigrate(from, to) === undefined).toBe(outcome === 'can');
});
