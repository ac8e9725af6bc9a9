import { createBackups } from '../client/backups.ts';
import { GitopsError } from '../client/errors.ts';
import { backupOf, type BackupConfig } from '../config/backup-of.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { taskQueue } from '../model/ids.ts';
import { connectClient } from '../systems/temporal/connect.ts';
import { pollersOf } from '../systems/temporal/pollers.ts';
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
    throw new GitopsError('usage', error instanceof Error ? error.message : String(error));
  }
}

/** Calls `work` with a connection for what is done by workers, and closes it. */
export async function withBackups(
  options: Pick<CommonOptions, 'config'>,
  work: (backups: ReturnType<typeof createBackups>) => Promise<void>,
): Promise<void> {
  const { config, backup } = backupConfigOf(options);
  const client = await connectClient().catch((error: unknown) => {
    throw new GitopsError('unreachable', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  });
  try {
    const queue = taskQueue(config.platform, 'recovery');
    const served = await pollersOf(client, queue, 'activity');
    if (served.length === 0) note(`Nobody serves ${queue} now. Start it: gitops worker --queues recovery`);
    await work(createBackups(client, config.platform, backup.cluster));
  } finally {
    await client.connection.close();
  }
}
