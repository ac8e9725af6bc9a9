import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { strictestOf } from './s3-bucket.ts';
import { createS3BackupStore } from './s3.ts';

const until = new Date(Date.now() + 86_400_000).toISOString();

/** Answers as S3 does of an object whose key is the mode of its lock. */
let server: Server;
beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const mode = url.split('/').at(-1);
    response.setHeader('x-amz-object-lock-mode', mode ?? '');
    response.setHeader('x-amz-object-lock-retain-until-date', until);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void server.close());

test.each([
  ['compliance', 'COMPLIANCE', until],
  ['compliance', 'GOVERNANCE', undefined],
  ['governance', 'COMPLIANCE', until],
  ['governance', 'GOVERNANCE', until],
] as const)('where %s is wanted, an object under %s is locked until %s', async (wanted, mode, expected) => {
  const { port } = server.address() as AddressInfo;
  const store = createS3BackupStore(
    {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'backups',
      region: 'us-east-1',
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    },
    wanted,
  );
  expect(await store.lockedUntil(mode)).toBe(expected);
});

test.each([
  ['nothing', undefined, { Mode: 'COMPLIANCE', Days: 90 }],
  ['less time', { Mode: 'COMPLIANCE', Days: 30 }, { Mode: 'COMPLIANCE', Days: 90 }],
  ['more days, less strictly', { Mode: 'GOVERNANCE', Days: 365 }, { Mode: 'COMPLIANCE', Days: 365 }],
  ['years, less strictly', { Mode: 'GOVERNANCE', Years: 1 }, { Mode: 'COMPLIANCE', Years: 1 }],
] as const)('a lock that is there is never weakened: %s', (_, lock, expected) => {
  expect(strictestOf(lock, { days: 90, lock: 'compliance' })).toEqual(expected);
});

test('a lock that is stricter than what is wanted stays as strict', () => {
  expect(strictestOf({ Mode: 'COMPLIANCE', Days: 30 }, { days: 90, lock: 'governance' })).toEqual({
    Mode: 'COMPLIANCE',
    Days: 90,
  });
});
