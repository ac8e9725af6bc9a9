import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { beforeEach, afterEach, expect, test, vi } from 'vitest';
import { createRecreations } from './recreations.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A Temporal that answers so, and the IDs that it was asked for. */
function temporalThat(describe: () => Promise<object>) {
  const asked: string[] = [];
  const client = {
    withDeadline: (_: number, work: () => unknown) => work(),
    workflow: {
      getHandle: (id: string) => ({
        describe: () => {
          asked.push(id);
          return describe();
        },
      }),
    },
  } as unknown as Client;
  return { asked, recreations: createRecreations(client, { platform: 'p', cluster: 'live' }) };
}

const running = async () => ({ status: { name: 'RUNNING' } });
const closeTime = new Date('2026-01-01T00:00:00Z');
const closed = async () => ({ status: { name: 'FAILED' }, closeTime });
const away = () => Promise.reject(new Error('14 UNAVAILABLE'));
const laterOn = () => vi.advanceTimersByTime(5000);

test('however many ask, Temporal is asked once in a few seconds', async () => {
  const { asked, recreations } = temporalThat(running);
  const answers = await Promise.all(Array.from({ length: 2000 }, () => recreations.last()));
  expect(new Set(answers)).toEqual(new Set([{ underWay: true }]));
  expect(asked).toEqual(['p/recreate/live']);
  laterOn();
  await recreations.last();
  expect(asked).toHaveLength(2);
});

test('one that has ended tells when, also when it failed', async () => {
  const { recreations } = temporalThat(closed);
  expect(await recreations.last()).toEqual({ underWay: false, endedAt: closeTime.getTime() });
});

test('of a cluster that was never rebuilt, or that has no name, nothing is under way', async () => {
  const { recreations } = temporalThat(() =>
    Promise.reject(new WorkflowNotFoundError('not found', 'p/recreate/live', undefined)),
  );
  expect(await recreations.last()).toEqual({ underWay: false });
  const nameless = createRecreations({} as Client, { platform: 'p', cluster: undefined });
  expect(await nameless.last()).toEqual({ underWay: false });
});

test('while Temporal is away, what it said last holds; when it said nothing yet, nobody knows', async () => {
  const describe = vi.fn(away);
  const { recreations } = temporalThat(() => describe());
  await expect(recreations.last()).rejects.toThrow('UNAVAILABLE');
  laterOn();
  describe.mockImplementation(running as never);
  expect(await recreations.last()).toEqual({ underWay: true });
  laterOn();
  describe.mockImplementation(away);
  expect(await recreations.last()).toEqual({ underWay: true });
});
