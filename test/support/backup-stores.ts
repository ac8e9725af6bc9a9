import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import type { BackupConfig } from '../../src/config/backup-settings.ts';
import { missingInStore, prepareStore } from '../../src/wiring/backup-stores.ts';
import { startAzurite, withLockedVersions } from './azurite.ts';

/** Where backups are put, of which tests know nothing but this. */
export interface TestStore {
  /** Keys of `backup`, for a bucket or container of that name. */
  settings(name: string): Promise<Record<string, string>>;
  /** Of its credentials, by name. */
  env: Record<string, string>;
  /** As `gitops setup` makes it, or who does what that says. */
  make(backup: BackupConfig): Promise<void>;
  /** One that locks nothing. */
  makeOpen(backup: BackupConfig): Promise<BackupConfig>;
  /** What it answers when it refuses, and when it is overloaded. */
  codes: { refused: string; overloaded: string };
  /** With all that it holds, and with the one that locks nothing. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** The stack's S3. */
export function s3Store(): TestStore {
  const endpoint = process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333';
  const client = new S3Client({ endpoint, forcePathStyle: true });
  const open: string[] = [];
  return {
    settings: async (bucket) => ({ bucket, endpoint }),
    env: {},
    async make(backup) {
      await prepareStore(backup);
      expect(await missingInStore(backup)).toEqual([]);
    },
    async makeOpen(backup) {
      const bucket = `${backup.bucket}-open`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      open.push(bucket);
      return { ...backup, bucket };
    },
    codes: { refused: 'AccessDenied', overloaded: 'SlowDown' },
    async remove(bucket) {
      await Promise.all([bucket, ...open].map((name) => removeBucket(client, name)));
    },
    close: async () => client.destroy(),
  };
}

/** Takes a bucket away with all that it holds. */
async function removeBucket(client: S3Client, Bucket: string): Promise<void> {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
    await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: true }));
  }
  await client.send(new DeleteBucketCommand({ Bucket }));
}

export interface AzureStore extends TestStore {
  /** Of an administrator of the account. */
  connectionString: string;
  /** The container's default. */
  policy: { mode: 'Locked' | 'Unlocked' };
}

/** Azurite, and before it what Azurite lacks. Its writer may only create, its reader only read and write verdicts. */
export async function azureStore(): Promise<AzureStore> {
  const azurite = await startAzurite();
  const locking = await withLockedVersions(azurite.endpoint);
  const id = `AZURE_${process.pid}_${Date.now()}`;
  const env: Record<string, string> = {};
  const secret = (name: string, value: string): string => {
    process.env[`${id}_${name}`] = env[`${id}_${name}`] = value;
    return `env:${id}_${name}`;
  };
  return {
    async settings(container) {
      return {
        container,
        endpoint: locking.endpoint,
        credential: secret('WRITER', await azurite.sas(container, 'c')),
        readersCredential: secret('READER', await azurite.sas(container, 'rlw')),
      };
    },
    env,
    async make({ container = '' }) {
      await azurite.service.getContainerClient(container).create();
    },
    async makeOpen(backup) {
      return { ...backup, endpoint: azurite.endpoint };
    },
    connectionString: azurite.connectionString,
    policy: locking.policy,
    codes: { refused: 'AuthorizationPermissionMismatch', overloaded: 'ServerBusy' },
    remove: async (container) => {
      await azurite.service.getContainerClient(container).deleteIfExists();
    },
    async close() {
      locking.close();
      await azurite.close();
    },
  };
}
