import { isDeepStrictEqual } from 'node:util';
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3ServiceException,
  type DefaultRetention,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import { backupPrefix } from '../../model/recovery/backup.ts';
import type { S3Options } from '../objects/s3-client.ts';
import type { Prepared } from '../prepared.ts';
import type { Retention } from './index.ts';
import { createBackupClient, explain } from './s3.ts';

/**
 * Makes the bucket of the backups, or brings what is there to what is asked for. A lock is never weakened. Where we may
 * not, it says what is missing.
 */
export async function provisionBucket(
  options: S3Options,
  cluster: string,
  retention: Retention,
): Promise<Prepared[]> {
  const s3 = createBackupClient(options);
  const { bucket } = options;
  const prepared: Prepared[] = [];
  const steps: [string, () => Promise<Prepared['state']>][] = [
    [`bucket ${bucket}`, () => makeBucket(s3, options)],
    [
      `lock of ${bucket}: ${retention.lock}, ${retention.days} days`,
      () => lockObjects(s3, bucket, retention),
    ],
    [
      `removal from ${bucket} after ${retention.days} days`,
      () => expireObjects(s3, bucket, cluster, retention),
    ],
  ];
  try {
    for (const [what, step] of steps) prepared.push({ what, state: await step() });
  } catch (error) {
    const [what = bucket] = steps[prepared.length] ?? [];
    const { fact } = explain(error, options);
    const advice =
      'Run it with the rights to make and configure buckets, or let somebody do so who has them.';
    prepared.push({ what, state: 'advice', detail: fact, advice });
  } finally {
    s3.destroy();
  }
  return prepared;
}

/** What is missing for backups to be kept as they should; empty when nothing is. */
export async function missingInBucket(
  options: S3Options,
  cluster: string,
  retention: Retention,
): Promise<string[]> {
  const s3 = createBackupClient(options);
  const { bucket } = options;
  try {
    const [lock, rules] = [await lockOf(s3, bucket), await rulesOf(s3, bucket)];
    return [
      ...(isStrictEnough(lock, retention) ? [] : [`a lock of ${retention.days} days (${retention.lock})`]),
      ...(hasRules(rules, rulesFor(cluster, retention)) ? [] : ['the rules that remove old backups']),
    ];
  } catch (error) {
    throw explain(error, options);
  } finally {
    s3.destroy();
  }
}

async function makeBucket(s3: S3Client, { bucket, region, endpoint }: S3Options): Promise<Prepared['state']> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    return 'there';
  } catch (error) {
    if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)) throw error;
  }
  // AWS takes every region but this one as a constraint; other stores have none.
  const elsewhere = endpoint === undefined && region !== 'us-east-1';
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      ObjectLockEnabledForBucket: true,
      ...(elsewhere && { CreateBucketConfiguration: { LocationConstraint: region as never } }),
    }),
  );
  return 'created';
}

type Lock = DefaultRetention | undefined;

async function lockOf(s3: S3Client, Bucket: string): Promise<Lock> {
  try {
    const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
    return ObjectLockConfiguration?.Rule?.DefaultRetention;
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'ObjectLockConfigurationNotFoundError') {
      return undefined;
    }
    throw error;
  }
}

const daysOf = (lock: Lock): number => lock?.Days ?? (lock?.Years ?? 0) * 365;

const isStrictEnough = (lock: Lock, { days, lock: wanted }: Retention): boolean =>
  daysOf(lock) >= days && (lock?.Mode === 'COMPLIANCE' || wanted === 'governance');

/** What locks at least as strictly and as long as what is there, and as what is wanted. */
export function strictestOf(lock: Lock, { days, lock: wanted }: Retention): DefaultRetention {
  const Mode = lock?.Mode === 'COMPLIANCE' || wanted === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE';
  if (lock === undefined || daysOf(lock) < days) return { Mode, Days: days };
  return { ...lock, Mode };
}

async function lockObjects(s3: S3Client, Bucket: string, retention: Retention): Promise<Prepared['state']> {
  const lock = await lockOf(s3, Bucket);
  if (isStrictEnough(lock, retention)) return 'there';
  await s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: strictestOf(lock, retention) },
      },
    }),
  );
  return 'updated';
}

/** An expiry only hides an object of a versioned bucket: what is behind it, and the mark itself, go by rules of their own. */
const rulesFor = (cluster: string, { days }: Retention): LifecycleRule[] => [
  {
    ID: `gitops-backups-${cluster}`,
    Status: 'Enabled',
    Filter: { Prefix: backupPrefix(cluster) },
    Expiration: { Days: days },
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
  },
  {
    ID: `gitops-backups-${cluster}-marks`,
    Status: 'Enabled',
    Filter: { Prefix: backupPrefix(cluster) },
    Expiration: { ExpiredObjectDeleteMarker: true },
  },
];

async function rulesOf(s3: S3Client, Bucket: string): Promise<LifecycleRule[]> {
  try {
    return (await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules ?? [];
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'NoSuchLifecycleConfiguration') return [];
    throw error;
  }
}

const hasRules = (rules: LifecycleRule[], wanted: LifecycleRule[]): boolean =>
  wanted.every((one) => rules.some((rule) => rule.ID === one.ID && isDeepStrictEqual({ ...rule }, one)));

async function expireObjects(
  s3: S3Client,
  Bucket: string,
  cluster: string,
  retention: Retention,
): Promise<Prepared['state']> {
  const [rules, wanted] = [await rulesOf(s3, Bucket), rulesFor(cluster, retention)];
  if (hasRules(rules, wanted)) return 'there';
  const others = rules.filter(({ ID }) => !wanted.some((one) => one.ID === ID));
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: { Rules: [...others, ...wanted] },
    }),
  );
  return 'updated';
}
