import { readdirSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { zstdDecompressSync } from 'node:zlib';
import type { Client } from '@temporalio/client';
import { Decrypter, generateX25519Identity } from 'age-encryption';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupOf } from '../src/config/backup-settings.ts';
import {
  backupIndexSchema,
  indexKey,
  newestGood,
  verificationKey,
  type BackupIndex,
} from '../src/model/recovery/backup.ts';
import { recreationId } from '../src/model/temporal/workflow-ids.ts';
import { readIndex, readVerification, recoveryPoints } from '../src/systems/backups/catalogue.ts';
import { textBody } from '../src/systems/backups/index.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import {
  backupActivities,
  clientsOf,
  type Activities,
  type StoreClients,
} from './support/backup-activities.ts';
import { azureStore, s3Store, type TestStore } from './support/backup-stores.ts';
import { application, makeBackupPlatform, plainSecret, type BackupPlatform } from './support/backups.ts';
import { storeProxy, type StoreProxy } from './support/store-proxy.ts';

/** What backups need of a store: the same of each. */
const stores: [string, () => TestStore | Promise<TestStore>][] = [
  ['S3', s3Store],
  ['Azure Blob Storage', azureStore],
];

describe.for(stores)('in %s', ([, startStore]) => {
  let platform: BackupPlatform;
  let backend: TestStore;
  let temporal: Client;
  let proxy: StoreProxy;
  let activities: Activities;
  let clients: StoreClients;
  let cluster: string;
  let store: Activities['store'];
  let verify: Activities['verify'];
  /** The same store, with bad days. */
  let throughProxy: StoreClients;

  beforeAll(async () => {
    backend = await startStore();
    platform = await makeBackupPlatform(backend);
    const backup = backupOf(platform.config);
    await backend.make(backup);
    temporal = await connectClient();
    proxy = await storeProxy(backup.endpoint ?? '');
    activities = backupActivities(platform, temporal);
    ({ clients, cluster, store, verify } = activities);
    throughProxy = clientsOf({ ...backup, endpoint: proxy.endpoint });
  }, 60_000);

  afterAll(async () => {
    proxy.close();
    await temporal.connection.close();
    await platform.remove();
  });

  afterEach(() => {
    proxy.mishap = () => undefined;
  });

  async function indexOf(key: string): Promise<BackupIndex> {
    return backupIndexSchema.parse(await readIndex(clients.readers, key));
  }

  async function storedBytes(key: string): Promise<Buffer> {
    const found = await clients.readers.read(key);
    if (!found) throw new Error(`${key} is not there.`);
    return buffer(found);
  }

  /** As a person opens it: `age --decrypt | zstd --decompress`. */
  async function plainLines(key: string): Promise<string[]> {
    const decrypter = new Decrypter();
    decrypter.addIdentity(platform.identity);
    const compressed = await decrypter.decrypt(await storedBytes(key));
    return zstdDecompressSync(compressed).toString().trimEnd().split('\n');
  }

  const goodKeys = async () =>
    (await recoveryPoints(clients.readers, cluster))
      .filter(({ state }) => state === 'good')
      .map(({ key }) => key);

  test('a backup holds all that Argo CD cannot find in Git, verifies, and is locked', async () => {
    const { key, counts } = await store();
    expect(counts).toEqual({ ConfigMap: 5, Secret: 3, AppProject: 1, Application: 3, ApplicationSet: 1 });
    const index = await indexOf(key);
    expect(index.applications).toContainEqual({ name: 'orders', revisions: ['a'.repeat(40)] });
    expect(index.sealingKeys).toEqual([{ name: 'sealed-secrets-key1', fingerprint: 'unreadable' }]);
    expect(index.leftOut.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'operation of Application orders',
        'Secret argocd-redis',
        'ConfigMap somebody-elses',
      ]),
    );
    const point = await verify(key);
    expect(point).toMatchObject({ key, state: 'good', size: index.stored.size, counts });
    expect(Date.parse(point.lockedUntil ?? '') - Date.now()).toBeGreaterThan(89 * 86_400_000);
  });

  test('two backups of the same state are the same bytes before encryption', async () => {
    const first = await store();
    // None of this is what anybody meant; the last one is.
    await platform.kubectl([
      ...['patch', 'application', 'orders', '-n', platform.namespace, '--type=merge', '-p'],
      JSON.stringify({
        metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } },
        status: { health: { status: 'Degraded' }, reconciledAt: '2026-02-02T00:00:00Z' },
      }),
    ]);
    const second = await store();
    const plain = async ({ key }: { key: string }) => (await indexOf(key)).plain;
    expect(await plain(second)).toEqual(await plain(first));
    expect(await storedBytes(second.key)).not.toEqual(await storedBytes(first.key));
    expect(await activities.compare(first.key, second.key)).toEqual({});
  });

  test('what is stored shows no secret, and what is in it holds them', async () => {
    const { key } = await store();
    const encoded = Buffer.from(plainSecret).toString('base64');
    const outside = [(await storedBytes(key)).toString('latin1'), JSON.stringify(await indexOf(key))];
    for (const text of outside) {
      expect(text).not.toContain(plainSecret);
      expect(text).not.toContain(encoded);
    }
    const inside = (await plainLines(key)).join('\n');
    expect(inside).toContain(encoded);
    expect(inside).not.toContain('"operation"');
    expect(inside).not.toContain('Healthy');
  });

  test('argocd admin import takes it, and a cluster made from it has the same backup', async () => {
    const { key } = await store();
    const { importable, plain } = await indexOf(key);
    const lines = await plainLines(key);
    const target = `${platform.namespace}-restored`;
    const importInto = (namespace: string, ...flags: string[]) =>
      execa('argocd', ['admin', 'import', '-', '--verbose', '-n', namespace, ...flags], {
        input: lines.slice(0, importable).join('\n'),
        timeout: 30_000,
      });
    const { stdout } = await importInto(platform.namespace, '--dry-run');
    expect(stdout.match(/ (unchanged|updated) \(dry run\)$/gm)).toHaveLength(importable);

    await platform.kubectl(['create', 'namespace', target]);
    try {
      const beside = lines.slice(importable).map((line) => JSON.parse(line) as object);
      await platform.kubectl(['apply', '--server-side', '-n', target, '-f', '-'], ...beside);
      await importInto(target);
      const config = {
        ...platform.config,
        argocd: { namespace: target },
        backup: { ...backupOf(platform.config), sealingKeys: target },
      };
      const restored = await indexOf((await store({ config })).key);
      expect(restored.plain).toEqual(plain);
    } finally {
      await platform.kubectl(['delete', 'namespace', '--wait=false', target]);
    }
  });

  test('bytes that changed on the way are told from a wrong key, and neither is counted as good', async () => {
    const { key } = await store();
    const spoil = async (change: (body: Buffer) => Buffer) => {
      proxy.mishap = (method, path) =>
        method === 'GET' && new RegExp(`${key}(\\?|$)`).test(path) ? { answers: change } : undefined;
      return verify(key, { from: throughProxy });
    };
    const truncated = await spoil((body) => body.subarray(0, body.length - 10));
    expect(truncated).toMatchObject({
      state: 'bad',
      reason: expect.stringMatching(/^Its \d+ bytes were \d+/),
    });
    const flipped = await spoil((body) => Buffer.from(body.map((byte, i) => (i === 300 ? byte ^ 1 : byte))));
    expect(flipped).toMatchObject({
      state: 'bad',
      reason: expect.stringMatching(/not those that were written/),
    });
    expect(await goodKeys()).not.toContain(key);

    expect(await verify(key)).toMatchObject({ state: 'good' });
    proxy.mishap = (method, path) =>
      method === 'GET' && new RegExp(`${key}(\\?|$)`).test(path) ? 'cut' : undefined;
    // It comes whole another time, perhaps: nothing is said of the backup.
    await expect(verify(key, { from: throughProxy })).rejects.toMatchObject({
      lasting: false,
      message: expect.stringMatching(/^The store of the backups/) as string,
    });
    expect(await goodKeys()).toContain(key);

    const wrong = verify(key, { identity: await generateX25519Identity() });
    await expect(wrong).rejects.toThrow(/encrypted to other recipients.*backup.recovery.identity/);
    // That says nothing about the backup.
    expect(await readVerification(clients.readers, key)).toMatchObject({ state: 'good' });
  });

  test('a backup that was put in the place of another, or of another cluster, is bad', async () => {
    const [first, second] = [await store(), await store()];
    const index = await indexOf(first.key);
    const planted = async (changes: Partial<BackupIndex>, bytes: Buffer) => {
      const moment = activities.nextMoment().slice(11, 19).replaceAll(':', '');
      const key = `argocd/${cluster}/2026-01-02/${moment}Z-0123456789abcdef`;
      await clients.writers.putOnce(key, textBody(bytes.toString('latin1')));
      const { version: _, ...stored } = index.stored;
      await clients.writers.putOnce(
        indexKey(key),
        textBody(JSON.stringify({ ...index, key, stored, ...changes })),
      );
      return verify(key);
    };
    const bytes = await storedBytes(second.key);
    expect(await planted({ key: first.key }, bytes)).toMatchObject({
      state: 'bad',
      reason: `Its index is that of ${first.key}.`,
    });
    expect(await planted({ cluster: 'elsewhere' }, bytes)).toMatchObject({
      state: 'bad',
      reason: 'It is a backup of elsewhere.',
    });
    expect(await planted({}, bytes)).toMatchObject({ state: 'bad' });

    // What was overwritten is read as it was written.
    await clients.readers.put(first.key, 'rubbish');
    expect(await verify(first.key)).toMatchObject({ state: 'good' });
  });

  test('what somebody spoilt is bad, and hides no other backup', async () => {
    const [good, spoilt] = [await store(), await store()];
    await verify(good.key);
    await verify(spoilt.key);
    await clients.readers.put(verificationKey(good.key), 'rubbish');
    await clients.readers.put(indexKey(spoilt.key), 'rubbish');
    const { createdAt } = await indexOf(good.key);
    const points = await recoveryPoints(clients.readers, cluster);
    const [first, second] = [good, spoilt].map(({ key }) => points.find((point) => point.key === key));
    expect(first).toMatchObject({ state: 'unverified', createdAt });
    expect(second).toMatchObject({
      state: 'bad',
      reason: expect.stringMatching(/not what this program writes/) as string,
    });
    expect(Date.parse(second?.createdAt ?? '') - Date.parse(createdAt)).toBe(1000);
    expect(await verify(good.key)).toMatchObject({ state: 'good' });
  });

  test('a store that refuses ends a backup at once, one that is overloaded is asked again', async () => {
    const before = await recoveryPoints(clients.readers, cluster);
    proxy.mishap = (method) => (method === 'PUT' ? { status: 403, code: backend.codes.refused } : undefined);
    await expect(store({ into: throughProxy })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(
        new RegExp(`(bucket|container) b\\w+ at http.*${backend.codes.refused}.*See backup in gitops.yaml`),
      ) as string,
    });
    proxy.mishap = (method) =>
      method === 'PUT' ? { status: 503, code: backend.codes.overloaded } : undefined;
    await expect(store({ into: throughProxy })).rejects.toMatchObject({
      lasting: false,
      message: expect.stringContaining(backend.codes.overloaded) as string,
    });
    expect(await recoveryPoints(clients.readers, cluster)).toEqual(before);

    let refusals = 2;
    proxy.mishap = (method) =>
      method === 'PUT' && refusals-- > 0 ? { status: 503, code: backend.codes.overloaded } : undefined;
    const { key } = await store({ into: throughProxy });
    expect(await verify(key)).toMatchObject({ state: 'good' });
  });

  test('a write whose answer was lost is success, once', async () => {
    const seen: string[] = [];
    proxy.mishap = (method, path) => {
      if (method !== 'PUT') return undefined;
      seen.push(path);
      return seen.filter((earlier) => earlier === path).length === 1 ? 'lose' : undefined;
    };
    const { key } = await store({ into: throughProxy });
    expect(seen).toHaveLength(4);
    expect(await verify(key)).toMatchObject({ state: 'good' });
  });

  test('bytes that change on their way to the store are not taken, but sent again', async () => {
    let damages = 1;
    proxy.mishap = (method) =>
      method === 'PUT' && damages-- > 0
        ? { arrives: (body) => Buffer.from(body.map((byte, i) => (i === 300 ? byte ^ 1 : byte))) }
        : undefined;
    const { key } = await store({ into: throughProxy });
    expect(damages).toBeLessThan(0);
    expect(await verify(key)).toMatchObject({ state: 'good' });
  });

  test('a backup without Applications, or much smaller than the last good one, waits for a person', async () => {
    const last = await store();
    await verify(last.key);
    const [one, two] = ['payments', 'shipping'];
    await platform.kubectl(['delete', 'application', '-n', platform.namespace, one, two]);
    const small = await store();
    const point = await verify(small.key);
    expect(point).toMatchObject({
      state: 'suspect',
      reason: expect.stringMatching(/^It holds 1 Applications, the last good one 3/) as string,
    });
    expect(newestGood(await recoveryPoints(clients.readers, cluster))?.key).not.toBe(small.key);
    expect(await activities.compare(last.key, small.key)).toEqual({
      Application: { added: [], removed: [one, two], changed: [] },
    });

    expect(await verify(small.key, {}, true)).toMatchObject({ state: 'good' });
    // Who accepted it need not do so again.
    expect(await verify(small.key)).toMatchObject({ state: 'good' });

    await platform.kubectl(['delete', 'application', '-n', platform.namespace, '--all']);
    await platform.kubectl(['delete', 'applicationset', '-n', platform.namespace, '--all']);
    expect(await verify((await store()).key)).toMatchObject({
      state: 'suspect',
      reason: 'It holds no Application.',
    });
    await platform.kubectl(
      ['create', '-n', platform.namespace, '-f', '-'],
      ...['orders', 'payments', 'shipping'].map((name) => application(name)),
    );
  });

  test('where nothing is locked nothing is counted as good', async () => {
    const open = await backend.makeOpen(backupOf(platform.config));
    const { key } = await store({ into: clientsOf(open) });
    expect(await verify(key, { from: clientsOf(open) })).toMatchObject({
      state: 'suspect',
      reason: expect.stringMatching(/does not lock it.*gitops setup/) as string,
    });
  });

  test('a cluster that is being rebuilt is not backed up', async () => {
    const workflowId = recreationId(platform.config.platform, cluster);
    const handle = await temporal.workflow.start('recreateCluster', { workflowId, taskQueue: workflowId });
    try {
      await expect(store()).rejects.toMatchObject({ type: 'Refused', message: /is being rebuilt/ });
    } finally {
      await handle.terminate('The test is over.');
    }
  });

  test('none of it leaves a file behind', () => expect(readdirSync(activities.scratch)).toEqual([]));
});
