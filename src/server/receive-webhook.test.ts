import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { createForgeEvents } from './receive-webhook.ts';

const asked: string[] = [];
const client = {
  withDeadline: (_: number, work: () => Promise<unknown>) => work(),
  workflow: { signalWithStart: async (type: string) => void asked.push(type) },
} as unknown as Client;

const take = createForgeEvents({
  ...{ client, platform: 'platform', repository: 'team/manifests', branch: 'main', deliverOnPush: true },
  sources: [{ repository: 'team/claims', branch: 'trunk' }],
});

test('a push to the branch of a source has the repositories looked at, and nothing else of it does', async () => {
  expect(await take({ kind: 'push', repository: 'Team/claims', branch: 'trunk' })).toMatch(
    /looks at trunk\.$/,
  );
  expect(asked).toEqual(['pollRepository']);
  expect(await take({ kind: 'push', repository: 'team/claims', branch: 'main' })).toBe(
    'Only trunk is delivered.',
  );
  expect(await take({ kind: 'pull-request', repository: 'team/claims', number: 1, branch: 'x' })).toBe(
    'Promotions are pull requests of team/manifests.',
  );
  expect(await take({ kind: 'push', repository: 'team/web', branch: 'main' })).toBe(
    'team/web is not delivered from here.',
  );
  expect(asked).toHaveLength(1);
});
