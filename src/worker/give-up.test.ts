import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { givingUp } from './give-up.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const hour = 3_600_000;
const away = () => Promise.reject(new Error('The registry is away.'));

/** One attempt, that was put into the queue so many hours ago and begins now. */
async function attempt(
  info: { attempt: number; queuedHoursAgo: number; heartbeatDetails?: unknown },
  work: () => Promise<unknown>,
): Promise<{ ended: unknown; told: unknown[] }> {
  const { queuedHoursAgo, ...rest } = info;
  const environment = new MockActivityEnvironment(
    { ...rest, currentAttemptScheduledTimestampMs: Date.now() - queuedHoursAgo * hour },
    { interceptors: [givingUp] },
  );
  const told: unknown[] = [];
  environment.on('heartbeat', (details) => told.push(details));
  const ended = await environment.run(work).catch((error: unknown) => error);
  return { ended, told };
}

test('waiting for a slot gives nothing up, however long it takes', async () => {
  expect(await attempt({ attempt: 1, queuedHoursAgo: 300 }, away)).toMatchObject({
    ended: { message: 'The registry is away.' },
    told: [],
  });
  const second = await attempt({ attempt: 2, queuedHoursAgo: 300 }, away);
  expect(second.ended).toMatchObject({ message: 'The registry is away.' });
  const [heartbeatDetails] = second.told;
  const third = await attempt({ attempt: 3, queuedHoursAgo: 300, heartbeatDetails }, () =>
    Promise.resolve('built'),
  );
  expect(third.ended).toBe('built');
});

test('after twelve hours of attempts it ends with what went wrong last', async () => {
  const heartbeatDetails = { tryingSince: Date.now() - 11.99 * hour };
  const soon = await attempt({ attempt: 900, queuedHoursAgo: 0, heartbeatDetails }, away);
  expect(soon.ended).not.toMatchObject({ nonRetryable: true });

  const slow = async () => {
    vi.setSystemTime(Date.now() + hour);
    return away();
  };
  expect((await attempt({ attempt: 900, queuedHoursAgo: 0, heartbeatDetails }, slow)).ended).toMatchObject({
    type: 'GivenUp',
    nonRetryable: true,
    message: 'The registry is away.',
  });
});

test('one whose workers die each time is not begun again for ever', async () => {
  const heartbeatDetails = { tryingSince: Date.now() - 12 * hour };
  let begun = false;
  const work = async () => (begun = true);
  expect((await attempt({ attempt: 900, queuedHoursAgo: 0, heartbeatDetails }, work)).ended).toMatchObject({
    type: 'GivenUp',
    message: expect.stringContaining('12 hours') as unknown,
  });
  expect(begun).toBe(false);
});

test('what came out badly stays what it is', async () => {
  const heartbeatDetails = { tryingSince: Date.now() - 11.99 * hour };
  const failed = async () => {
    vi.setSystemTime(Date.now() + hour);
    throw ApplicationFailure.nonRetryable('The tests failed.', 'TestsFailed');
  };
  expect((await attempt({ attempt: 2, queuedHoursAgo: 0, heartbeatDetails }, failed)).ended).toMatchObject({
    type: 'TestsFailed',
  });
});
