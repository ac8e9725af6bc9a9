import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { operationIdOf } from './operation-id.ts';

test('the same words have the same ID, others another, and all are UUIDs', () => {
  const words = fc.array(fc.string(), { maxLength: 4 });
  fc.assert(
    fc.property(words, words, (one, other) => {
      expect(z.uuid({ version: 'v8' }).safeParse(operationIdOf(...one)).success).toBe(true);
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(operationIdOf(...one) === operationIdOf(...other)).toBe(same);
    }),
  );
});
