import type { Client } from '@temporalio/client';
import { ServiceError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { createBackups } from './backups.ts';

/** What Temporal answers where `gitops setup` has not made the search attributes yet. */
const answer = Object.assign(new Error('3 INVALID_ARGUMENT'), {
  code: 3,
  details: 'Namespace default has no mapping defined for search attribute GitopsPlatform',
  metadata: {},
});
const client = {
  workflow: {
    start: () => Promise.reject(new ServiceError('Failed to start Workflow', { cause: answer })),
  },
} as unknown as Client;
const backups = createBackups(client, {
  platform: 'p',
  cluster: 'c',
  silence: { exchangeMs: 10_000, workMs: 30_000 },
});
const tell = () => undefined;

test.each([
  ['made', () => backups.start()],
  ['verified', () => backups.verify({}, tell)],
  ['compared', () => backups.compare('a', 'b', tell)],
])('a backup that is %s before gitops setup says so', async (_, begin) => {
  await expect(begin()).rejects.toMatchObject({
    name: 'GitopsError',
    kind: 'usage',
    message: expect.stringContaining('gitops setup') as string,
  });
});
