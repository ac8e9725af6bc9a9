import { expect, test, vi } from 'vitest';
import type { EnvironmentState } from '../../model/promotion/environment.ts';
import type { Ask } from '../../model/promotion/promotion.ts';
import { openInbox } from './inbox.ts';

/** What the workflow handles, and whom it told what: nothing of a server is needed to send and to answer. */
const sdk = vi.hoisted(() => ({
  handlers: new Map<string, (value: unknown) => Promise<void>>(),
  told: vi.fn<(workflowId: string, outcome: unknown) => Promise<void>>(),
}));
vi.mock('@temporalio/workflow', async (original) => ({
  ...(await original<object>()),
  CancellationScope: { nonCancellable: (work: () => unknown) => work() },
  setHandler: ({ name }: { name: string }, handle: (value: unknown) => Promise<void>) =>
    sdk.handlers.set(name, handle),
  getExternalWorkflowHandle: (workflowId: string) => ({
    signal: (_: unknown, { outcome }: { outcome: unknown }) => sdk.told(workflowId, outcome),
  }),
}));

const ask = (position: number): Ask => ({
  id: `ask-${position}`,
  asker: { workflowId: `delivery-${position}`, runId: 'r' },
  release: {
    change: { service: 'claims', commit: `${position}`.padStart(40, '0') },
    source: {
      ...{ position, subject: '', authors: [], committedAt: '', paths: [] },
      base: 'b'.repeat(40),
    },
  },
  settings: {
    ...{ entersBy: 'push', approval: { by: 'none' }, sync: 'automated', endToEnd: false },
    ...{ healthyWithinMs: 1000, reviewWithinMs: 1000, queue: 'delivery' },
  },
});

test('who asks while all others are refused is refused as well', async () => {
  const state: EnvironmentState = { waiting: [ask(1)], answered: [] };
  const inbox = openInbox({ platform: 'p', environment: 'dev', service: 'claims' }, state, true);
  sdk.told.mockImplementationOnce(async () => {
    await sdk.handlers.get('promote')?.(ask(2));
  });

  await inbox.refuseAll('There is no environment dev.');

  const outcome = { state: 'failed', reason: 'There is no environment dev.' };
  expect(sdk.told.mock.calls).toEqual([
    ['delivery-1', outcome],
    ['delivery-2', outcome],
  ]);
});

test('what travels from run to run stays small, and who asks again is still told how it ended', async () => {
  const state: EnvironmentState = { waiting: [], answered: [] };
  const inbox = openInbox({ platform: 'p', environment: 'dev', service: 'claims' }, state, true);
  for (let position = 1; position <= 60; position += 1) {
    state.waiting = [ask(position)];
    await inbox.refuseAll(`It failed. ${'x'.repeat(6000)}`);
  }
  expect(JSON.stringify(inbox.carried()).length).toBeLessThan(100_000);
  sdk.told.mockClear();
  await sdk.handlers.get('promote')?.(ask(11));
  await sdk.handlers.get('promote')?.(ask(60));
  expect(sdk.told.mock.calls).toEqual([
    ['delivery-11', { state: 'failed', reason: expect.stringMatching(/^It failed\. x{289}$/) as string }],
    ['delivery-60', { state: 'failed', reason: expect.stringMatching(/x{6000}$/) as string }],
  ]);
});
