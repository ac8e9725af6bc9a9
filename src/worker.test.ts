import type { Client } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import { configuration } from '../test/support/configuration.ts';
import { runWorker } from './worker.ts';

const close = vi.hoisted(() => vi.fn<() => Promise<void>>());
vi.mock('./systems/temporal/connect.ts', async (original) => ({
  ...(await original<object>()),
  connectPatiently: async () => ({ connection: { close } }) as unknown as Client,
}));
vi.mock('@temporalio/worker', async (original) => ({
  ...(await original<object>()),
  Runtime: { install: () => undefined },
}));

test('a worker that cannot begin leaves no connection open, which would keep its process from ending', async () => {
  const beginning = runWorker({
    config: configuration(),
    queues: ['wait'],
    log: console,
    ready: () => expect.unreachable('It is ready.'),
    systemsOf: () => {
      throw new Error('The kubeconfig cannot be read.');
    },
  });
  await expect(beginning).rejects.toThrow('The kubeconfig cannot be read.');
  expect(close).toHaveBeenCalledOnce();
});
