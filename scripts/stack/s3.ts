// S3: SeaweedFS in one process, one bucket for what the program remembers outside Temporal. Backups have a bucket of their
// own, which `gitops setup` makes, with a key for who writes them and another for who reads them.
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  NoSuchBucket,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { make } from './artifacts.ts';
import { wheelPath, wheels } from './binaries.ts';
import { ports, state } from './paths.ts';
import { ensure, failure, pidOf } from './processes.ts';
import { keepSecret, secret, secretFile, storedSecret, writePrivately } from './secrets.ts';
import { messageOf } from './until.ts';

export const s3Endpoint = `http://127.0.0.1:${ports.s3}`;
export const s3Region = 'us-east-1';
export const s3Credentials = () => ({
  accessKeyId: secret('s3-access-key'),
  secretAccessKey: secret('s3-secret-key'),
});
const buckets = ['gitops-state'];
const backups = 'gitops-backups';
/** What the example's gitops.yaml calls the cluster. */
const backedUpCluster = 'local';

/** Of the backups' writer and reader, by the names that the example's gitops.yaml has for them. */
export const backupEnvironment = (): Record<string, string> => ({
  BACKUP_WRITER_ID: 'backup-writer',
  BACKUP_WRITER_SECRET: secret('backup-writer-secret'),
  BACKUP_READER_ID: 'backup-reader',
  BACKUP_READER_SECRET: secret('backup-reader-secret'),
  BACKUP_RECIPIENT: storedSecret('backup-recipient') ?? '',
  BACKUP_IDENTITY: storedSecret('backup-identity') ?? '',
});

/** SeaweedFS's inner ports; each has its gRPC sibling 10000 above. */
export const s3InnerPorts = { master: 9333, volume: 9340, filer: 9350, s3: ports.s3 };

export async function startS3(): Promise<void> {
  await make(wheels);
  const directory = join(state, 's3');
  mkdirSync(directory, { recursive: true });
  await ensureIdentity();
  const wanted = JSON.stringify(identities());
  const running = storedSecret('s3.json') === wanted ? undefined : pidOf('s3');
  writePrivately(secretFile('s3.json'), wanted);
  // One that runs reads its keys again when it is told to.
  if (running !== undefined) process.kill(running, 'SIGHUP');
  const local = '-ip=127.0.0.1';
  await ensure({
    name: 's3',
    command: [
      wheelPath('weed'),
      ...['-logtostderr=true', 'server', `-dir=${directory}`, local, '-ip.bind=127.0.0.1'],
      ...['-master.telemetry=false', `-master.port=${s3InnerPorts.master}`, '-master.volumeSizeLimitMB=256'],
      ...[`-volume.port=${s3InnerPorts.volume}`, '-volume.max=0'],
      ...[
        '-filer',
        `-filer.port=${s3InnerPorts.filer}`,
        `-filer.localSocket=${join(directory, 'filer.sock')}`,
      ],
      ...['-s3', `-s3.port=${ports.s3}`, `-s3.config=${secretFile('s3.json')}`],
      ...['-s3.iam=false', '-s3.autoCreateBucket=false', '-s3.port.iceberg=0', '-s3.port.lance=0'],
      `-s3.localSocket=${join(directory, 's3.sock')}`,
    ],
    ready: keepsObjects,
  });
}

function identities() {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = s3Credentials();
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  const limited = (name: string, secretKey: string, actions: string[]) => ({
    name,
    credentials: [{ accessKey: name, secretKey }],
    actions,
  });
  return {
    identities: [
      { name: 'stack', credentials: [{ accessKey, secretKey }], actions },
      limited('backup-writer', secret('backup-writer-secret'), [`Write:${backups}/argocd/*`]),
      limited('backup-reader', secret('backup-reader-secret'), [
        `Read:${backups}`,
        `List:${backups}`,
        `Write:${backups}/argocd/*`,
      ]),
    ],
  };
}

/** The key that opens backups. */
async function ensureIdentity(): Promise<void> {
  const identity =
    storedSecret('backup-identity') ?? keepSecret('backup-identity', await generateX25519Identity());
  keepSecret('backup-recipient', await identityToRecipient(identity));
}

/** It answers before it has found what it keeps. */
async function keepsObjects(): Promise<boolean> {
  const client = connect();
  try {
    for (const Bucket of buckets) {
      const there = await client.send(new HeadBucketCommand({ Bucket })).then(
        () => true,
        () => false,
      );
      if (!there) await client.send(new CreateBucketCommand({ Bucket }));
      const probe = { Bucket, Key: 'stack/probe' };
      await client.send(new PutObjectCommand({ ...probe, Body: 'kept' }));
      await client.send(new GetObjectCommand(probe));
    }
    return true;
  } catch {
    return false; // it is still starting
  } finally {
    client.destroy();
  }
}

/** Whether a backup of the cluster was stored. */
export async function hasBackup(): Promise<boolean> {
  const client = connect();
  try {
    const some = { Bucket: backups, Prefix: `argocd/${backedUpCluster}/`, MaxKeys: 1 };
    return ((await client.send(new ListObjectsV2Command(some))).KeyCount ?? 0) > 0;
  } catch (error) {
    if (error instanceof NoSuchBucket) return false;
    throw failure('s3', `does not say whether there is a backup (${messageOf(error)})`);
  } finally {
    client.destroy();
  }
}

const connect = (): S3Client =>
  new S3Client({
    endpoint: s3Endpoint,
    region: s3Region,
    credentials: s3Credentials(),
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
