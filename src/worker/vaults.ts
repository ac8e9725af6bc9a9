import { Decrypter } from 'age-encryption';
import type { Recovery } from '../activities/recovery.ts';
import type { BackupConfig } from '../config/backup-of.ts';
import { readSecret } from '../config/secrets.ts';
import { createS3Vault } from '../systems/backups/s3.ts';
import type { Vault } from '../systems/backups/vault.ts';
import { trustCertificates } from '../systems/certificates.ts';
import type { S3Options } from '../systems/objects/s3.ts';

/** The public keys to which backups are encrypted, comments left out. */
export const recipientsOf = ({ recipients }: BackupConfig): string[] =>
  recipients.flatMap((recipient) =>
    recipient.startsWith('age1') ? recipient : linesOf(readSecret(recipient), 'age1'),
  );

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
    identities: () => identitiesIn(readSecret(recovery.identity), recovery.identity),
  };
}

/** A file of age-keygen has comments, and may have several. */
function identitiesIn(text: string, reference: string): string[] {
  const found = linesOf(text, 'AGE-SECRET-KEY-');
  try {
    const decrypter = new Decrypter();
    for (const identity of found) decrypter.addIdentity(identity);
  } catch {
    // What was thrown quotes the identity.
    throw new Error(`The secret ${reference} is a damaged age identity: its checksum is wrong.`);
  }
  if (found.length > 0) return found;
  throw new Error(`The secret ${reference} is no age identity, which begins with AGE-SECRET-KEY-.`);
}

const linesOf = (text: string, beginning: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(beginning));

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
