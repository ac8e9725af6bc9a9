import { execa } from 'execa';
import { readFileSync } from 'node:fs';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createBackups } from '../src/client/backups.ts';
import { backupOf } from '../src/config/backup-settings.ts';
import { backupId, nightlyBackupId } from '../src/model/temporal/workflow-ids.ts';
import { attributes } from '../src/model/temporal/search-attributes.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { registerSearchAttributes } from '../src/systems/temporal/setup.ts';
import { bin, checkout, run, runJson, startWorker, type Point } from './support/backup-commands.ts';
import { application, makeBackupPlatform, plainSecret, type BackupPlatform } from './support/backups.ts';

/** On two busy cores a command takes seconds. */
const timeout = 90_000;

let platform: BackupPlatform;
let temporal: Client;
let worker: { end(): Promise<void> };
const gitops = (...args: string[]) => run(platform, args);
const json = <T>(...args: string[]) => runJson<T>(platform, args);

beforeAll(async () => {
  platform = await makeBackupPlatform();
  temporal = await connectClient();
  await registerSearchAttributes(temporal);
  worker = await startWorker(platform);
}, timeout);

afterAll(async () => {
  await worker.end();
  await temporal.schedule
    .getHandle(scheduleId())
    .delete()
    .catch(() => undefined);
  await temporal.connection.close();
  await platform.remove();
}, timeout);

const cluster = () => backupOf(platform.config).cluster;
const scheduleId = () => nightlyBackupId(platform.name, cluster());

test('setup makes the bucket and the schedule, and finds them there again', async () => {
  const first = await json<{ prepared: { what: string; state: string }[] }>('setup');
  const bucket = platform.name;
  expect(first.prepared).toEqual(
    expect.arrayContaining([
      { what: `schedule ${scheduleId()}`, state: 'created' },
      { what: `bucket ${bucket}`, state: 'created' },
      { what: `lock of ${bucket}: governance, 90 days`, state: 'updated' },
      { what: `removal from ${bucket} after 90 days`, state: 'updated' },
    ]),
  );
  const again = await json<{ prepared: { what: string; state: string }[] }>('setup');
  const states = again.prepared.filter(({ what }) => what.includes(bucket)).map(({ state }) => state);
  expect(states).toEqual(['updated', 'updated', 'there', 'there', 'there']);
});

test('before the first backup the list says how to make one, and that it is overdue', async () => {
  const { stdout, stderr } = await gitops('backups', 'list');
  expect(stdout).toBe('There is no backup yet. Make one: gitops backup --wait');
  expect(stderr).toContain('docs/runbooks/backup-failed.md');
  expect(await gitops('backups', 'verify')).toMatchObject({ exitCode: 3 });
});

test(
  'a backup is made, listed, verified and compared',
  async () => {
    const made = await json<Point>('backup', '--wait');
    expect(made).toMatchObject({ state: 'good', cluster: cluster() });
    const listed = await json<{ overdue: boolean; newestGood: string; backups: Point[] }>('backups', 'list');
    expect(listed).toMatchObject({ overdue: false, newestGood: made.key, backups: [made] });
    const human = await gitops('backups', 'list');
    expect(human.stdout).toMatch(/✔ good +\S+ s old +\S+ K?i?B +3 Applications +locked until/);
    expect(await json<Point>('backups', 'verify')).toMatchObject({ key: made.key, state: 'good' });

    await platform.kubectl(['create', '-n', platform.namespace, '-f', '-'], application('returns'));
    const later = await json<Point>('backup', '--wait');
    const { stdout } = await gitops('backups', 'diff', made.key, later.key);
    expect(stdout).toBe('+ Application returns');
    expect(await gitops('backups', 'diff', made.key, 'nonsense')).toMatchObject({ exitCode: 2 });
  },
  timeout,
);

test(
  'two that are asked for at once are one',
  async () => {
    const before = (await json<{ backups: Point[] }>('backups', 'list')).backups.length;
    const backups = createBackups(temporal, { platform: platform.name, cluster: cluster() });
    const [first, second] = await Promise.all([backups.start(), backups.start()]);
    expect(await first.result()).toEqual(await second.result());
    expect((await json<{ backups: Point[] }>('backups', 'list')).backups).toHaveLength(before + 1);
  },
  timeout,
);

test(
  'the night makes one too, under the one ID that no two backups share',
  async () => {
    const before = (await json<{ backups: Point[] }>('backups', 'list')).backups.length;
    await temporal.schedule.getHandle(scheduleId()).trigger();
    await vi.waitFor(
      async () =>
        expect((await json<{ backups: Point[] }>('backups', 'list')).backups).toHaveLength(before + 1),
      { timeout: 60_000, interval: 1000 },
    );
    const { state } = (await temporal.workflow
      .getHandle(backupId(platform.name, cluster()))
      .result()) as Point;
    expect(state).toBe('good');
  },
  timeout,
);

test(
  'one that is much smaller ends with 1 and a reason, and is not counted',
  async () => {
    await platform.kubectl([
      'delete',
      'application',
      '-n',
      platform.namespace,
      'orders',
      'payments',
      'returns',
    ]);
    const { stdout, exitCode } = await gitops('backup', '--wait');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/! suspect argocd.*\n +It holds 1 Applications, the last good one 4/);
    expect((await gitops('backups', 'verify')).exitCode).toBe(1);
  },
  timeout,
);

/** The page's commands in order, each with what a person would have put into the variables. */
test(
  'who follows docs/runbooks/backup-failed.md gets to a good backup',
  async () => {
    const page = readFileSync(`${checkout}docs/runbooks/backup-failed.md`, 'utf8');
    const [suspect, last] = (await json<{ backups: Point[] }>('backups', 'list')).backups;
    const keys = { suspect: suspect?.key ?? '', last: last?.key ?? '' };
    const env = { ...platform.env, platform: platform.name, cluster: cluster(), ...keys };
    const lines = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, code = '']) =>
      code.trim().split('\n'),
    );
    const [names, ...commands] = lines;
    expect(commands).toHaveLength(9);
    const asGitops = `gitops() { "${process.execPath}" "${bin}" "$@"; }`;
    for (const line of commands) {
      const shell = ['-c', `${asGitops}; ${names}; ${line}`];
      const { exitCode, all } = await execa('bash', shell, { env, all: true, reject: false, timeout });
      // This platform has no forge, no registry and no repository, which the doctor tells.
      if (exitCode !== (line === 'gitops doctor' ? 4 : 0)) throw new Error(`${line}: ${exitCode}\n${all}`);
    }
    expect((await json<{ overdue: boolean }>('backups', 'list')).overdue).toBe(false);
  },
  2 * timeout,
);

test(
  'doctor looks at the bucket, the keys, the schedule and the newest backup',
  async () => {
    const { stdout } = await gitops('doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
    const of = (name: string) => checks.find((check) => check.name === name);
    expect(of('store of the backups')).toMatchObject({ state: 'ok' });
    expect(of('nightly backup')).toMatchObject({ state: 'ok' });
    expect(of('identity that opens backups')).toMatchObject({ state: 'ok' });
    expect(of('newest backup')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('is good') as string,
    });
    // This one has all the rights that there are, and serves both queues.
    expect(of('writer of the backups')).toMatchObject({ state: 'warning' });
    expect(of('separation of recovery')).toMatchObject({ state: 'warning' });
  },
  timeout,
);

test('no secret is in any history', async () => {
  let runs = 0;
  const query = `${attributes.platform.name} = "${platform.name}"`;
  for await (const { workflowId, runId } of temporal.workflow.list({ query })) {
    const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = legible(JSON.parse(historyToJSON(history)));
    for (const secret of [plainSecret, Buffer.from(plainSecret).toString('base64'), platform.identity]) {
      expect(text).not.toContain(secret);
    }
    expect(text.length).toBeLessThan(60_000);
    runs += 1;
  }
  expect(runs).toBeGreaterThan(5);
});

/** All of it: payloads are in base64. */
const legible = (history: unknown): string =>
  JSON.stringify(history, (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
  );
