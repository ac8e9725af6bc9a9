import { expect, test } from 'vitest';
import { forEachConcurrently } from './for-each-concurrently.ts';

async function* numbers(
  count: number,
  taken: (number: number) => void = () => undefined,
): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) {
    taken(number);
    yield number;
  }
}

/** Work that ends when it is told to. */
function byHand() {
  const open = new Map<number, PromiseWithResolvers<void>>();
  const work = async (item: number) => {
    const task = Promise.withResolvers<void>();
    open.set(item, task);
    await task.promise.finally(() => open.delete(item));
  };
  return { open, work };
}

test('so many are worked on, each once, and no more is taken than there is room for', async () => {
  const { open, work } = byHand();
  let taken = 0;
  const all = forEachConcurrently(
    3,
    numbers(10, () => (taken += 1)),
    work,
  );
  for (let ended = 0; ended < 10; ended += 1) {
    await expect.poll(() => open.size).toBe(Math.min(3, 10 - ended));
    expect(taken).toBeLessThanOrEqual(ended + 4);
    open.get([...open.keys()][0] ?? -1)?.resolve();
    await expect.poll(() => open.has(ended)).toBe(false);
  }
  await all;
});

test('after an error nothing new begins, and what is under way ends first', async () => {
  const { open, work } = byHand();
  let ended = false;
  const all = forEachConcurrently(2, numbers(10), work).finally(() => (ended = true));
  all.catch(() => undefined);
  await expect.poll(() => open.size).toBe(2);
  open.get(0)?.reject(new Error('the first'));
  await expect.poll(() => open.size).toBe(1);
  expect(ended).toBe(false);
  open.get(1)?.resolve();
  await expect(all).rejects.toThrow('the first');
  expect(open.size).toBe(0);
});
