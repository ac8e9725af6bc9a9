import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { withOutputLog } from './output-log.ts';

const change = { service: 'claims', commit: '3f'.repeat(20) };

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

test('what a step has written is stored while it goes on, and again only when there is more', async () => {
  const stored: string[] = [];
  const put = async (_: string, body: string) => Boolean(stored.push(body));
  const end = Promise.withResolvers<void>();
  let write: (text: string) => void = () => undefined;
  const done = new MockActivityEnvironment().run(() =>
    withOutputLog({ put } as Partial<ObjectStore> as ObjectStore, change, 'test', (onOutput) => {
      write = onOutput;
      return end.promise;
    }),
  );
  write('one\n');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(stored).toEqual(['one\n']);
  write('two\n');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(stored).toEqual(['one\n', 'one\ntwo\n']);
  end.resolve();
  await done;
  expect(stored).toHaveLength(2);
});

test('what could not be stored is stored the next time', async () => {
  const stored: string[] = [];
  let isAway = true;
  const put = async (_: string, body: string) => {
    if (isAway) throw new Error('The object store is away.');
    return Boolean(stored.push(body));
  };
  const end = Promise.withResolvers<void>();
  const done = new MockActivityEnvironment().run(() =>
    withOutputLog({ put } as Partial<ObjectStore> as ObjectStore, change, 'test', (onOutput) => {
      onOutput('one\n');
      return end.promise;
    }),
  );
  await vi.advanceTimersByTimeAsync(20_000);
  isAway = false;
  await vi.advanceTimersByTimeAsync(5000);
  expect(stored).toEqual(['one\n']);
  end.resolve();
  await done;
});
