import assert from 'node:assert';
import { test } from 'node:test';
import { report } from '../src/report.mjs';

test('countries are told with how many of their parcels are overdue, the most first', () => {
  const lines = report(['RR473124829DE', 'RR473124829SA', 'CP473124829SA']);
  assert.deepEqual(lines, [
    'SA: 2 overdue, among them RR473124829SA',
    'DE: 1 overdue, among them RR473124829DE',
  ]);
});
