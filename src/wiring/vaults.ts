import { Decrypter } from 'age-encryption';
import type { Recovery } from '../activities/backup/open.ts';
import type { BackupConfig } from '../config/backup-of.ts';
import { readSecret } from '../config/secrets.ts';
import type { AzureOptions } from '../systems/backups/azure.ts';
import { missingInBucket, provisionBucket } from '../systems/backups/s3-bucket.ts';
import { createS3Vault } from '../systems/backups/s3.ts';
import type { Vault } from '../systems/backups/index.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import type { S3Options } from '../systems/objects/s3-client.ts';
import type { Prepared } from '../systems/temporal/setup.ts';

/** The public keys to which backups are encrypted, comments left out. */
export const recipientsOf = ({ recipients }: BackupConfig): string[] =>
  recipients.flatMap((recipient) =>
    recipient.startsWith('age1') ? recipient : linesOf(readSecret(recipient), 'age1'),
  );

/** Who puts backups there. */
export const writersVault = (backup: BackupConfig): Vault => vaultOf(backup, backup);

/** Who may read them, and the identity that opens them. */
export function recoveryOf(backup: BackupConfig): Recovery {
  const { recovery } = backup;
  return {
    vault: vaultOf(backup, recovery),
    identities: () => identitiesIn(readSecret(recovery.identity), recovery.identity),
  };
}

/** Prepares the store as far as whoever runs this may, and says what is missing. */
export async function prepareStore(backup: BackupConfig): Promise<Prepared[]> {
  const store = storeOf(backup);
  if (store.kind === 's3') return provisionBucket(store.options, backup.cluster, retentionOf(backup));
  const { lookAtContainer } = await import('../systems/backups/azure-container.ts');
  return lookAtContainer(store.options, backup.cluster, retentionOf(backup));
}

/** What is missing for backups to be kept as they should, in the eyes of whoever runs this. */
export async function missingInStore(backup: BackupConfig): Promise<string[]> {
  const store = storeOf(backup);
  if (store.kind === 's3') return missingInBucket(store.options, backup.cluster, retentionOf(backup));
  const { missingInContainer } = await import('../systems/backups/azure-container.ts');
  return missingInContainer(store.options);
}

type Keys = Pick<BackupConfig, 'accessKeyId' | 'secretAccessKey' | 'credential'>;
type Store = { kind: 's3'; options: S3Options } | { kind: 'azure'; options: AzureOptions };

function vaultOf(backup: BackupConfig, keys: Keys): Vault {
  const store = storeOf(backup, keys);
  return store.kind === 's3' ? createS3Vault(store.options) : azureVault(store.options, backup.lock);
}

/** Microsoft's SDK takes a third of a worker's start to load: it is, once it is needed. */
function azureVault(options: AzureOptions, lock: BackupConfig['lock']): Vault {
  let made: Promise<Vault> | undefined;
  const vault = () =>
    (made ??= import('../systems/backups/azure.ts').then(({ createAzureVault }) =>
      createAzureVault(options, lock),
    ));
  return {
    putOnce: async (key, body) => (await vault()).putOnce(key, body),
    put: async (key, text) => (await vault()).put(key, text),
    read: async (key, version) => (await vault()).read(key, version),
    list: async (prefix) => (await vault()).list(prefix),
    lockedUntil: async (key, version) => (await vault()).lockedUntil(key, version),
  };
}

/** Without keys it has the rights of whoever runs this: what the store's SDK finds by itself. */
function storeOf({ bucket, container, endpoint, region, caFile }: BackupConfig, keys: Keys = {}): Store {
  if (caFile !== undefined) trustCertificates(caFile);
  if (bucket !== undefined) {
    const credentials = accessKey(keys);
    return {
      kind: 's3',
      options: {
        bucket,
        region,
        ...(endpoint !== undefined && { endpoint }),
        ...(credentials && { credentials }),
      },
    };
  }
  // Both are there: src/config/rules.ts.
  const [at = '', name = ''] = [endpoint, container];
  const credential =
    keys.credential === undefined
      ? process.env['AZURE_STORAGE_CONNECTION_STRING']
      : readSecret(keys.credential);
  return { kind: 'azure', options: { endpoint: at, container: name, ...(credential && { credential }) } };
}

function accessKey({ accessKeyId, secretAccessKey }: Keys): S3Options['credentials'] {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId: readSecret(accessKeyId), secretAccessKey: readSecret(secretAccessKey) };
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
