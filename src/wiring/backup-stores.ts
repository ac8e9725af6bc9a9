import { Decrypter } from 'age-encryption';
import type { Recovery } from '../activities/backup/open.ts';
import type { BackupConfig } from '../config/backup-settings.ts';
import { readSecret } from '../config/secrets.ts';
import type { AzureOptions } from '../systems/backups/azure.ts';
import { missingInBucket, provisionBucket } from '../systems/backups/s3-bucket.ts';
import { createS3BackupStore } from '../systems/backups/s3.ts';
import type { BackupStore } from '../systems/backups/index.ts';
import { lazily } from '../systems/lazily.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import type { S3Options } from '../systems/objects/s3-client.ts';
import type { Prepared } from '../systems/prepared.ts';
import { s3OptionsOf, type AccessKey } from './s3.ts';

/** The public keys to which backups are encrypted, comments left out. */
export const recipientsOf = ({ recipients }: BackupConfig): string[] =>
  recipients.flatMap((recipient) =>
    recipient.startsWith('age1') ? recipient : linesOf(readSecret(recipient), 'age1'),
  );

/** With the credentials that put backups there. */
export const writersStore = (backup: BackupConfig): BackupStore => storeOf(backup, backup);

/** With the credentials that read them, and the identity that opens them. */
export function recoveryOf(backup: BackupConfig): Recovery {
  const { recovery } = backup;
  return {
    store: storeOf(backup, recovery),
    identities: () => identitiesIn(readSecret(recovery.identity), recovery.identity),
  };
}

/** Prepares the store as far as whoever runs this may, and says what is missing. */
export async function prepareStore(backup: BackupConfig): Promise<Prepared[]> {
  const place = placeOf(backup);
  if (place.kind === 's3') return provisionBucket(place.options, backup.cluster, retentionOf(backup));
  const { lookAtContainer } = await import('../systems/backups/azure-container.ts');
  return lookAtContainer(place.options, backup.cluster, retentionOf(backup));
}

/** What is missing for backups to be kept as they should, in the eyes of whoever runs this. */
export async function missingInStore(backup: BackupConfig): Promise<string[]> {
  const place = placeOf(backup);
  if (place.kind === 's3') return missingInBucket(place.options, backup.cluster, retentionOf(backup));
  const { missingInContainer } = await import('../systems/backups/azure-container.ts');
  return missingInContainer(place.options);
}

type Keys = AccessKey & Pick<BackupConfig, 'credential'>;
type Place = { kind: 's3'; options: S3Options } | { kind: 'azure'; options: AzureOptions };

function storeOf(backup: BackupConfig, keys: Keys): BackupStore {
  const place = placeOf(backup, keys);
  return place.kind === 's3'
    ? createS3BackupStore(place.options, backup.lock)
    : azureStore(place.options, backup.lock);
}

/** Microsoft's SDK takes a third of a worker's start to load, so it is loaded when it is first needed. */
function azureStore(options: AzureOptions, lock: BackupConfig['lock']): BackupStore {
  const store = lazily(async () => {
    const { createAzureBackupStore } = await import('../systems/backups/azure.ts');
    return createAzureBackupStore(options, lock);
  });
  return {
    putOnce: async (key, body) => (await store()).putOnce(key, body),
    put: async (key, text) => (await store()).put(key, text),
    read: async (key, version) => (await store()).read(key, version),
    list: async (prefix) => (await store()).list(prefix),
    lockedUntil: async (key, version) => (await store()).lockedUntil(key, version),
  };
}

/** Without keys it has the rights of whoever runs this: what the store's SDK finds by itself. */
function placeOf({ bucket, container, endpoint, region, caFile }: BackupConfig, keys: Keys = {}): Place {
  if (caFile !== undefined) trustCertificates(caFile);
  if (bucket !== undefined) {
    return { kind: 's3', options: s3OptionsOf({ bucket, endpoint, region }, keys) };
  }
  // Both are there: src/config/rules.ts.
  const [at = '', name = ''] = [endpoint, container];
  const credential =
    keys.credential === undefined
      ? process.env['AZURE_STORAGE_CONNECTION_STRING']
      : readSecret(keys.credential);
  return { kind: 'azure', options: { endpoint: at, container: name, ...(credential && { credential }) } };
}

const retentionOf = ({ keepDays, lock }: BackupConfig) => ({ days: keepDays, lock });

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
