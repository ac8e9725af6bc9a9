import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { workersOf } from './workers.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => void vi.setSystemTime(Date.now() + ms),
}));

const now = Date.UTC(2026, 0, 1, 8);
beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => void vi.useRealTimers());

interface Beat {
  identity: string;
  /** How long ago by this clock, in seconds; by the worker's it may be another. */
  ago: () => number;
  status?: number;
}

const at = (secondsAgo: number) => msToTs(Date.now() - secondsAgo * 1000);

/** A Temporal with a queue that these have polled and these have beaten for. */
function temporalWith(pollers: Record<string, number>, heartbeats: Beat[] | 'UNIMPLEMENTED'): Client {
  const known = heartbeats === 'UNIMPLEMENTED' ? [] : heartbeats;
  const workflowService = {
    describeTaskQueue: async () => ({
      pollers: Object.entries(pollers).map(([identity, ago]) => ({ identity, lastAccessTime: at(ago) })),
      stats: { approximateBacklogCount: 3, approximateBacklogAge: msToTs(240_000) },
    }),
    listWorkers: async () => {
      if (heartbeats !== 'UNIMPLEMENTED')
        return { workers: known.map((_, index) => ({ workerInstanceKey: String(index) })) };
      throw Object.assign(new Error('unknown method'), { code: 12, details: '', metadata: {} });
    },
    describeWorker: async ({ workerInstanceKey }: { workerInstanceKey: string }) => {
      const { identity, ago, status = 1 } = known[Number(workerInstanceKey)] as Beat;
      const heartbeatTime = at(ago());
      return {
        workerInfo: {
          workerHeartbeat: {
            taskQueue: 'p/build',
            workerIdentity: identity,
            workerInstanceKey,
            status,
            heartbeatTime,
          },
        },
      };
    },
  };
  return { options: { namespace: 'default' }, workflowService } as unknown as Client;
}

async function look(client: Client) {
  const [state] = await workersOf(client, 'p', ['build']);
  return state;
}

/** Beaten every five seconds, by a clock that is so many seconds behind. */
const beating = (behind: number) => () => (((Date.now() - now) / 1000) % 5) + behind;
/** Beaten for the last time so many seconds before the test began. */
const silentFor = (seconds: number) => () => (Date.now() - now) / 1000 + seconds;

test('who was heard of within ten seconds lives, also while it is too busy to ask for work', async () => {
  expect(await look(temporalWith({}, [{ identity: 'a', ago: () => 9 }]))).toMatchObject({ live: ['a'] });
});

test('who was not heard of since is dead, though its last poll is younger than a poll may be', async () => {
  expect(await look(temporalWith({ a: 40 }, [{ identity: 'a', ago: silentFor(20) }]))).toMatchObject({
    live: [],
    lastSeenMs: now - 20_000,
  });
});

test('a clock that is wrong makes no worker dead', async () => {
  for (const behind of [-40, 40]) {
    vi.setSystemTime(now);
    expect(await look(temporalWith({}, [{ identity: 'a', ago: beating(behind) }]))).toMatchObject({
      live: ['a'],
    });
  }
});

test('who said that it ends takes no more work', async () => {
  const ended = [{ identity: 'a', ago: silentFor(1), status: 2 }];
  expect(await look(temporalWith({ a: 3 }, ended))).toMatchObject({ live: [] });
});

test('in its first seconds, and with a Temporal that takes no heartbeats, a worker is known by its polls', async () => {
  expect(await look(temporalWith({ a: 80 }, []))).toMatchObject({ live: ['a'] });
  vi.setSystemTime(now);
  expect(await look(temporalWith({ a: 80, b: 100 }, 'UNIMPLEMENTED'))).toMatchObject({ live: ['a'] });
});

test('who takes the place and the identity of one that died lives', async () => {
  expect(await look(temporalWith({ a: 1 }, [{ identity: 'a', ago: silentFor(70) }]))).toMatchObject({
    live: ['a'],
  });
});

test('what waits is told, and since when', async () => {
  expect(await look(temporalWith({}, []))).toMatchObject({ waiting: 3, waitingSinceMs: now - 240_000 });
});
