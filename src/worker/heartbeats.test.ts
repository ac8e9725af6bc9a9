import { heartbeat } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { heartbeating } from './heartbeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const progress = { done: 1 };

/** What Temporal hears of an activity that says this at once, and then works for twenty seconds. */
async function heard(say: () => void, heartbeatDetails?: unknown): Promise<unknown[]> {
  const environment = new MockActivityEnvironment(
    { heartbeatDetails, heartbeatTimeoutMs: 10_000 },
    { interceptors: [heartbeating] },
  );
  const told: unknown[] = [];
  environment.on('heartbeat', (details) => told.push(details));
  const work = environment.run(async () => {
    say();
    await new Promise((resolve) => setTimeout(resolve, 20_000));
  });
  await vi.advanceTimersByTimeAsync(21_000);
  await work;
  return told;
}

test('an activity that says nothing is heard of several times within every two timeouts', async () => {
  expect(await heard(() => undefined)).toHaveLength(3);
});

test('a beat does not make forgotten what an activity told', async () => {
  expect(await heard(() => heartbeat(progress))).toEqual([progress, progress, progress, progress]);
});

test('nor what the attempt before it told', async () => {
  expect(await heard(() => undefined, progress)).toEqual([progress, progress, progress]);
});
