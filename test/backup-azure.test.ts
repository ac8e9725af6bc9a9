import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backupOf } from '../src/config/backup-settings.ts';
import { nightlyBackupId } from '../src/model/temporal/workflow-ids.ts';
import { recoveryPoints } from '../src/systems/backups/catalogue.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { registerSearchAttributes } from '../src/systems/temporal/setup.ts';
import { recoveryOf } from '../src/wiring/backup-stores.ts';
import { run, runJson, startWorker, type Point } from './support/backup-commands.ts';
import { azureStore, type AzureStore } from './support/backup-stores.ts';
import { application, makeBackupPlatform, type BackupPlatform } from './support/backups.ts';

/** On two busy cores a command takes seconds. */
const timeout = 90_000;

let store: AzureStore;
let platform: BackupPlatform;
let temporal: Client;
let worker: { end(): Promise<void> };
const gitops = (...args: string[]) => run(platform, args);
const json = <T>(...args: string[]) => runJson<T>(platform, args);

beforeAll(async () => {
  store = await azureStore();
  platform = await makeBackupPlatform(store);
  temporal = await connectClient();
  await registerSearchAttributes(temporal);
  worker = await startWorker(platform);
}, timeout);

afterAll(async () => {
  await worker.end();
  await temporal.schedule
    .getHandle(nightlyBackupId(platform.name, backupOf(platform.config).cluster))
    .delete();
  await temporal.connection.close();
  await platform.remove();
}, timeout);

interface Prepared {
  what: string;
  state: string;
  advice?: string;
}

/** With the rights of whoever runs it: an administrator of the account. */
const setup = async () =>
  (
    await runJson<{ prepared: Prepared[] }>(
      { ...platform, env: { ...platform.env, AZURE_STORAGE_CONNECTION_STRING: store.connectionString } },
      ['setup'],
    )
  ).prepared.filter(({ what }) => what.includes(platform.name) && !what.startsWith('schedule'));

test('setup says which az commands make what is missing', async () => {
  const [container, lock, removal] = await setup();
  const of = `--account-name devstoreaccount1 --container-name ${platform.name}`;
  expect(container).toMatchObject({
    what: `container ${platform.name}`,
    state: 'advice',
    advice: expect.stringContaining(`--name ${platform.name} --enable-vlw true`) as string,
  });
  expect(lock).toMatchObject({
    what: `lock of ${platform.name}: governance, 90 days`,
    state: 'advice',
    advice: `Run: az storage container immutability-policy create ${of} --period 90`,
  });
  expect(removal?.advice).toContain(`"prefixMatch":["${platform.name}/argocd/`);

  expect((await gitops('backup', '--wait')).stderr).toMatch(/ContainerNotFound.*Run: gitops setup/);
  await store.make(backupOf(platform.config));
  expect((await setup()).map(({ state }) => state)).toEqual(['there', 'there', 'advice']);
});

test(
  'a backup is made, listed, verified and compared, by a writer that may only create',
  async () => {
    const made = await json<Point>('backup', '--wait');
    expect(made).toMatchObject({ state: 'good', lockedUntil: expect.stringMatching(/^20/) as string });
    expect(await json('backups', 'list')).toMatchObject({
      overdue: false,
      newestGood: made.key,
      backups: [made],
    });
    expect(await json<Point>('backups', 'verify')).toMatchObject({ key: made.key, state: 'good' });

    await platform.kubectl(['create', '-n', platform.namespace, '-f', '-'], application('returns'));
    const later = await json<Point>('backup', '--wait');
    const { stdout } = await gitops('backups', 'diff', made.key, later.key);
    expect(stdout).toBe('+ Application returns');
  },
  timeout,
);

test('doctor finds the store in order, and the writer unable to read', async () => {
  const env = { ...platform.env, AZURE_STORAGE_CONNECTION_STRING: store.connectionString };
  const { stdout } = await run({ ...platform, env }, ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
  const of = (name: string) => checks.find((check) => check.name === name);
  expect(of('store of the backups')).toMatchObject({ state: 'ok' });
  expect(of('writer of the backups')).toMatchObject({
    state: 'ok',
    detail: 'It may not read what is there.',
  });
  expect(of('newest backup')).toMatchObject({ state: 'ok' });
});

test('a policy that may be taken away again is no lock for compliance', async () => {
  const backup = backupOf(platform.config);
  const locks = async (lock: 'compliance' | 'governance') => {
    const [newest] = await recoveryPoints(recoveryOf({ ...backup, lock }).store, backup.cluster);
    return newest?.lockedUntil;
  };
  expect(await locks('compliance')).toMatch(/^20/);
  store.policy.mode = 'Unlocked';
  expect(await locks('compliance')).toBeUndefined();
  expect(await locks('governance')).toMatch(/^20/);
});
