import assert from 'node:assert/strict';
import test from 'node:test';
import { isOpen } from '../src/hours.mjs';

test('the counter is open on working days', () => {
  assert.equal(isOpen(new Date('2026-11-26T09:00:00Z')), true);
  assert.equal(isOpen(new Date('2026-11-26T18:00:00Z')), false);
  assert.equal(isOpen(new Date('2026-11-27T09:00:00Z')), false);
});
