import type { BackupInput } from '../model/recovery/backup.ts';
import { NotConfigured } from './not-configured.ts';
import { silenceOf } from './silence.ts';
import type { Config } from './schema.ts';

export type BackupConfig = NonNullable<Config['backup']>;

/** @throws NotConfigured: nothing is said of backups, or of those of another cluster */
export function backupOf({ backup }: Config, cluster = backup?.cluster): BackupConfig {
  if (!backup) throw new NotConfigured(noBackup);
  if (backup.cluster === cluster) return backup;
  throw new NotConfigured(`gitops.yaml here backs up ${backup.cluster}, not ${cluster}. See backup.cluster.`);
}

const noBackup =
  'gitops.yaml says nothing of backups. Write a section backup with cluster, bucket (or container), recipients and recovery.identity: docs/configuration.md has it.';

/** What the workflows start with that back a cluster up, and rebuild it. */
export const backupInput = (config: Config, { cluster }: { cluster: string }): BackupInput => ({
  platform: config.platform,
  cluster,
  silence: silenceOf(config),
});
