import { expect, test } from 'vitest';
import { delivered } from './index.ts';

test('what the crowd is delivered with is enough for this program: all reach production', async () => {
  expect(await delivered({ services: 2, each: 1 }, 0)).toMatchObject({ deliveries: 2, succeeded: 2 });
}, 180_000);
