import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Client } from '@temporalio/client';
import { backupOf } from '../src/config/backup-settings.ts';
import { nightlyBackupId, pollId, scheduledDrillId } from '../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../src/model/temporal/task-queues.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { makeBackupPlatform, type BackupPlatform } from './support/backups.ts';

const bin = fileURLToPath(new URL('../bin/gitops.js', import.meta.url));

let platform: BackupPlatform;
let temporal: Client;

beforeAll(async () => {
  platform = await makeBackupPlatform();
  temporal = await connectClient();
}, 60_000);

const cluster = () => backupOf(platform.config).cluster;
const schedules = () => [
  scheduledDrillId(platform.name, cluster()),
  nightlyBackupId(platform.name, cluster()),
  pollId(platform.name),
];

afterAll(async () => {
  for (const id of schedules()) {
    const schedule = temporal.schedule.getHandle(id);
    await schedule.delete().catch(() => undefined);
  }
  await temporal.connection.close();
  await platform.remove();
});

async function setUp(): Promise<string[]> {
  const { stdout } = await execa(process.execPath, [bin, 'setup', '--json'], { env: platform.env });
  const { prepared } = JSON.parse(stdout) as { prepared: { what: string; state: string }[] };
  return prepared.filter(({ what }) => what.includes('/drill/')).map(({ what, state }) => `${what} ${state}`);
}

test('drills are held on a schedule, once there is a control plane for them', async () => {
  expect(await setUp()).toEqual([]);

  const drill = { kubeconfig: 'scratch', schedule: '30 3 * * 6', timeZone: 'Asia/Riyadh' };
  const written = parse(readFileSync(platform.configFile, 'utf8')) as object;
  writeFileSync(platform.configFile, stringify({ ...written, recreation: { drill } }));
  const id = scheduledDrillId(platform.name, cluster());
  expect(await setUp()).toEqual([`schedule ${id} created`]);
  expect(await setUp()).toEqual([`schedule ${id} updated`]);

  const handle = temporal.schedule.getHandle(id);
  await handle.trigger();
  await expect.poll(async () => (await handle.describe()).info.recentActions.length).toBe(1);
  const { action, info } = await handle.describe();
  expect(action).toMatchObject({
    workflowType: 'recreateCluster',
    taskQueue: taskQueue(platform.name, 'delivery'),
    args: [{ platform: platform.name, cluster: cluster(), drill: true }],
  });
  const [saturday] = info.nextActionTimes;
  expect(saturday?.toISOString()).toMatch(/T00:30:00.000Z$/);
  const started = info.recentActions[0]?.action.workflow.workflowId ?? '';
  expect(started).toMatch(new RegExp(`^${id}-[^/]+$`));
  await temporal.workflow.getHandle(started).terminate();
});
