import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { identityToRecipient } from 'age-encryption';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { backupOf } from '../src/config/backup-settings.ts';
import { createKubernetes } from '../src/systems/kubernetes/api-client.ts';
import { recoveryPoints } from '../src/systems/backups/catalogue.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { apiServerProxy } from './support/api-server-proxy.ts';
import { backupActivities, type Activities } from './support/backup-activities.ts';
import { s3Store } from './support/backup-stores.ts';
import { makeBackupPlatform, type BackupPlatform } from './support/backups.ts';
import type { Answer } from './support/http-proxy.ts';

let platform: BackupPlatform;
let temporal: Client;
let activities: Activities;
let apiServer: Awaited<ReturnType<typeof apiServerProxy>>;

beforeAll(async () => {
  const store = s3Store();
  platform = await makeBackupPlatform(store);
  await store.make(backupOf(platform.config));
  temporal = await connectClient();
  activities = backupActivities(platform, temporal);
  apiServer = await apiServerProxy();
});

afterAll(async () => {
  await apiServer.close();
  await temporal.connection.close();
  await platform.remove();
});

afterEach(() => {
  apiServer.serve = (asked, pass) => pass(asked);
});

const stored = async () => recoveryPoints(activities.clients.readers, activities.cluster);

test('a disk that is full ends a backup with a clear error, and the next one is whole', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'gitops-small-'));
  const folder = ['-n', platform.namespace];
  // It does not compress, so that it needs more than there is.
  const large = randomBytes(75_000).toString('base64');
  await platform.kubectl([
    'patch',
    'configmap',
    'argocd-cm',
    ...folder,
    '-p',
    JSON.stringify({ data: { large } }),
  ]);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', scratch]);
  try {
    const before = await stored();
    await expect(activities.store({ scratch })).rejects.toThrow(
      /^The disk of .*gitops-small.* is full.*GITOPS_WORK_DIRECTORY/,
    );
    expect(await stored()).toEqual(before);
    expect(readdirSync(scratch)).toEqual([]);

    const { key } = await activities.store();
    expect(await activities.verify(key)).toMatchObject({ state: 'good' });
  } finally {
    await execa('umount', [scratch]);
    await rm(scratch, { recursive: true });
    await platform.kubectl(['patch', 'configmap', 'argocd-cm', ...folder, '-p', '{"data":{"large":null}}']);
  }
});

test('an API server that goes away in the middle of an export leaves nothing behind, and the next one is whole', async () => {
  const kubernetes = createKubernetes(apiServer.kubeconfig);
  const before = await stored();
  let asked = 0;
  for (const gone of [(): undefined => undefined, (answer: Answer): Answer => ({ ...answer, cut: true })]) {
    asked = 0;
    apiServer.serve = async (request, pass) => {
      if (!/\/applications\b/.test(request.url) && asked === 0) return pass(request);
      asked += 1;
      return asked === 1 ? gone(await pass(request)) : undefined;
    };
    await expect(activities.store({ kubernetes })).rejects.toMatchObject({
      unreachable: true,
      message: expect.stringMatching(/^GET http.*\/applications: .*KUBECONFIG/) as string,
    });
    expect(asked).toBe(1);
  }
  expect(await stored()).toEqual(before);
  expect(readdirSync(activities.scratch)).toEqual([]);

  apiServer.serve = (request, pass) => pass(request);
  const { key } = await activities.store({ kubernetes });
  expect(await activities.verify(key)).toMatchObject({ state: 'good' });
});

test('a list that cannot be read to its end is no backup', async () => {
  const kubernetes = createKubernetes(apiServer.kubeconfig);
  apiServer.serve = async (request, pass) => {
    // As an API server answers that lost its definitions, or a proxy before it.
    if (request.url.includes('continue=')) return { status: 404, headers: {}, body: Buffer.from('{}') };
    const limited = request.url.replace(/limit=\d+/, 'limit=1');
    return pass({ ...request, url: limited });
  };
  await expect(activities.store({ kubernetes })).rejects.toThrow(/404/);
});

test('two attempts at once are two whole backups, under names of their own', async () => {
  const at = activities.nextMoment();
  const both = await Promise.all([activities.store({ at }), activities.store({ at })]);
  const keys = both.map(({ key }) => key);
  expect(new Set(keys).size).toBe(2);
  for (const key of keys) expect(await activities.verify(key)).toMatchObject({ state: 'good' });
});

test.each([1000, 10_000])(
  'the export of %i Applications stays below 200 MB',
  { timeout: 180_000 },
  async (many) => {
    // Of each real page of Applications the proxy makes as many as are wanted: with statuses, which are what is large.
    apiServer.serve = async (asked, pass) => {
      const url = new URL(asked.url, 'http://api');
      if (!url.pathname.endsWith('/applications')) return pass(asked);
      const [from, limit] = [
        Number(url.searchParams.get('continue') ?? 0),
        Number(url.searchParams.get('limit')),
      ];
      url.searchParams.delete('continue');
      const answer = await pass({ ...asked, url: `${url.pathname}${url.search}` });
      return { ...answer, body: multiplied(answer.body, from, Math.min(from + limit, many), many) };
    };
    const recipient = await identityToRecipient(platform.identity);
    const script = new URL('support/export-once.ts', import.meta.url).pathname;
    // V8 takes what there is before it collects garbage: here there is little, so that what counts is what is needed.
    const little = ['--max-old-space-size=80', '--max-semi-space-size=2'];
    const { stdout } = await execa(process.execPath, [...little, script, platform.namespace, recipient], {
      env: { KUBECONFIG: apiServer.kubeconfig },
    });
    const { objects, peakBytes } = JSON.parse(stdout) as { objects: number; peakBytes: number };
    expect(objects).toBeGreaterThan(many);
    expect(peakBytes).toBeLessThan(200 * 1024 * 1024);
  },
);

interface Page {
  metadata: { continue?: string };
  items: { metadata: { name: string }; status?: object }[];
}

/** So many resources are what an Application of a service has, and some. */
const resources = Array.from({ length: 30 }, (_, index) => ({
  kind: 'Deployment',
  group: 'apps',
  version: 'v1',
  namespace: 'claims-production',
  name: `claims-${index}`,
  status: 'Synced',
  health: { status: 'Healthy' },
}));

function multiplied(page: Buffer, from: number, to: number, all: number): Buffer {
  const { metadata, items, ...rest } = JSON.parse(page.toString()) as Page;
  const made = Array.from({ length: to - from }, (_, index) => {
    const one = items[index % items.length];
    const name = `application-${String(from + index).padStart(5, '0')}`;
    return { ...one, metadata: { ...one?.metadata, name }, status: { ...one?.status, resources } };
  });
  const more = to < all ? { continue: String(to) } : {};
  return Buffer.from(JSON.stringify({ ...rest, metadata: { ...metadata, ...more }, items: made }));
}
