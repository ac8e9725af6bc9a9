import type { Client } from '@temporalio/client';
import { createBackups } from '../client/backups.ts';
import { connectTemporal } from '../client/connect.ts';
import { GitopsError } from '../client/errors.ts';
import { backupInput, backupOf, type BackupConfig } from '../config/backup-settings.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { taskQueue, type Queue } from '../model/temporal/task-queues.ts';
import { errorText } from '../systems/system-error.ts';
import { workersOf } from '../systems/temporal/workers.ts';
import { payloadKeysOf } from '../wiring/payload-keys.ts';
import { note, type CommonOptions } from './common.ts';

/** @throws GitopsError `usage`: the configuration says nothing of backups, and what to write */
export function backupConfigOf({ config: file }: Pick<CommonOptions, 'config'>): {
  config: Config;
  backup: BackupConfig;
} {
  const config = loadConfig(file);
  try {
    return { config, backup: backupOf(config) };
  } catch (error) {
    throw new GitopsError('usage', errorText(error));
  }
}

/**
 * Calls `work` with a connection for what workers do, and closes it. Says which of the queues nobody serves.
 *
 * @throws GitopsError `unreachable`, and what `work` throws
 */
export async function withWorkers(
  options: Pick<CommonOptions, 'config'>,
  queues: readonly Queue[],
  work: (client: Client, config: Config, cluster: string) => Promise<void>,
): Promise<void> {
  const { config, backup } = backupConfigOf(options);
  const client = await connectTemporal(payloadKeysOf(config));
  try {
    const states = await workersOf(client, config.platform, queues);
    const missing = states.filter(({ live }) => live.length === 0).map(({ queue }) => queue);
    if (missing.length > 0) {
      const names = missing.map((queue) => taskQueue(config.platform, queue)).join(' and ');
      note(`Nobody serves ${names} now. Start it: gitops worker --queues ${missing.join(',')}`);
    }
    await work(client, config, backup.cluster);
  } finally {
    await client.connection.close();
  }
}

/** The same for what is done with backups. */
export const withBackups = (
  options: Pick<CommonOptions, 'config'>,
  work: (backups: ReturnType<typeof createBackups>) => Promise<void>,
): Promise<void> =>
  withWorkers(options, ['recovery'], (client, config, cluster) =>
    work(createBackups(client, backupInput(config, { cluster }))),
  );
