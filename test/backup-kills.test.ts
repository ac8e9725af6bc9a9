import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBackups } from '../src/client/backups.ts';
import { backupOf, backupInput } from '../src/config/backup-settings.ts';
import { newestGood } from '../src/model/recovery/backup.ts';
import { nightlyBackupId } from '../src/model/temporal/workflow-ids.ts';
import { recoveryPoints } from '../src/systems/backups/catalogue.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { registerSearchAttributes, scheduleBackup } from '../src/systems/temporal/setup.ts';
import { backupActivities } from './support/backup-activities.ts';
import { launchWorker, startWorker } from './support/backup-commands.ts';
import { s3Store } from './support/backup-stores.ts';
import { makeBackupPlatform, type BackupPlatform } from './support/backups.ts';
import { activitiesOf, runsOf } from './support/histories.ts';
import { killsIn, meddledWith } from './support/meddling.ts';

/** A killed worker is noticed by three seconds of silence. */
const patience = 180_000;

/** How long each activity takes when nobody is killed: which there are is not for this test to know. */
const usualMs: Record<string, number> = {};

let temporal: Client;

async function makePlatform(): Promise<BackupPlatform> {
  const store = s3Store();
  const platform = await makeBackupPlatform(store);
  await store.make(backupOf(platform.config));
  return platform;
}

const startBackup = ({ config }: BackupPlatform) =>
  createBackups(temporal, backupInput(config, backupOf(config))).start();

beforeAll(async () => {
  temporal = await connectClient();
  await registerSearchAttributes(temporal);
  const platform = await makePlatform();
  const worker = await startWorker(platform);
  try {
    await (await startBackup(platform)).result();
    const runs = await runsOf(temporal, platform.name);
    for (const { point, ms } of runs.flatMap(activitiesOf)) usualMs[point] = ms;
  } finally {
    await worker.end();
    await platform.remove();
  }
}, patience);

afterAll(() => temporal.connection.close());

const moments = [
  { kill: 'before', when: 'just before each activity' },
  { kill: 'during', when: 'half-way through each activity' },
  { kill: 'after', when: 'after each activity, before its answer is sent' },
] as const;

test.concurrent.for(moments)(
  'a backup whose worker is killed $when ends as it would have',
  { timeout: patience },
  async ({ kill }, { expect }) => {
    const platform = await makePlatform();
    const diary = join(mkdtempSync(join(tmpdir(), 'gitops-kills-')), 'diary');
    const workers = keepRunning(platform, meddledWith({ kill, usualMs, diary }));
    try {
      const point = await (await startBackup(platform)).result();
      expect(point).toMatchObject({ state: 'good' });

      const killedAt = new Set(killsIn(diary).map(({ point: at }) => at));
      expect([...killedAt].toSorted()).toEqual(Object.keys(usualMs).toSorted());
      const activities = (await runsOf(temporal, platform.name)).flatMap(activitiesOf);
      expect(activities.filter(({ attempts }) => attempts === 1)).toEqual([]);

      // What an attempt stored that was killed is whole, or is none.
      const { clients, cluster, verify } = backupActivities(platform, temporal);
      const points = await recoveryPoints(clients.readers, cluster);
      expect(newestGood(points)?.key).toBe(point.key);
      for (const { key } of points) expect(await verify(key)).toMatchObject({ state: 'good' });
      await workers.stop();
      expect(readdirSync(join(platform.env['GITOPS_WORK_DIRECTORY'] ?? '', 'backups'))).toEqual([]);
    } finally {
      await workers.stop();
      await platform.remove();
    }
  },
);

/** Starts a worker again whenever it dies. */
function keepRunning(platform: BackupPlatform, env: Record<string, string>): { stop(): Promise<void> } {
  const over = new AbortController();
  let worker = launchWorker(platform, env);
  async function run(): Promise<void> {
    await worker.ended;
    while (!over.signal.aborted) {
      worker = launchWorker(platform, env);
      await worker.ended;
    }
  }
  const running = run();
  return {
    async stop() {
      over.abort();
      await worker.end();
      await running;
    },
  };
}

test(
  'the night without a worker is made up for by one backup once there is one',
  async () => {
    const platform = await makePlatform();
    const backup = backupOf(platform.config);
    await scheduleBackup(temporal, backupInput(platform.config, backup), backup);
    const schedule = temporal.schedule.getHandle(nightlyBackupId(platform.name, backup.cluster));
    try {
      await schedule.trigger(ScheduleOverlapPolicy.SKIP);
      await expect.poll(async () => (await schedule.describe()).info.runningActions).toHaveLength(1);
      await schedule.trigger(ScheduleOverlapPolicy.SKIP);
      await expect.poll(async () => (await schedule.describe()).info.numActionsSkippedOverlap).toBe(1);

      const worker = await startWorker(platform);
      const { clients, cluster } = backupActivities(platform, temporal);
      const states = async () => (await recoveryPoints(clients.readers, cluster)).map(({ state }) => state);
      await expect.poll(states).toEqual(['good']);
      await expect.poll(async () => (await schedule.describe()).info.runningActions).toEqual([]);
      await worker.end();
      expect(await states()).toEqual(['good']);
    } finally {
      await schedule.delete();
      await platform.remove();
    }
  },
  patience,
);
