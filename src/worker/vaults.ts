import type { Recovery } from '../activities/recovery.ts';
import type { BackupConfig } from '../config/backup-of.ts';
import { readSecret } from '../config/secrets.ts';
import { createS3Vault } from '../systems/backups/s3.ts';
import type { Vault } from '../systems/backups/vault.ts';
import { trustCertificates } from '../systems/certificates.ts';
import type { S3Options } from '../systems/objects/s3.ts';

/** With the rights of whoever runs this: what the AWS SDK finds by itself. */
export function vaultOptions({ endpoint, bucket, region, caFile }: BackupConfig): S3Options {
  if (caFile !== undefined) trustCertificates(caFile);
  return { bucket, region, ...(endpoint !== undefined && { endpoint }) };
}

/** Who puts backups there. */
export const writersVault = (backup: BackupConfig): Vault => createS3Vault(withKey(backup, backup));

/** Who may read them, and the identity that opens them. */
export function recoveryOf(backup: BackupConfig): Recovery {
  const { recovery } = backup;
  return {
    vault: createS3Vault(withKey(backup, recovery)),
    identity: () => readSecret(recovery.identity),
  };
}

function withKey(
  backup: BackupConfig,
  { accessKeyId, secretAccessKey }: Pick<BackupConfig, 'accessKeyId' | 'secretAccessKey'>,
): S3Options {
  const given = accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    ...vaultOptions(backup),
    ...(given && {
      credentials: { accessKeyId: readSecret(accessKeyId), secretAccessKey: readSecret(secretAccessKey) },
    }),
  };
}
