import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import { certificateAdvice } from '../network/certificates.ts';
import { createS3Client, type S3Options } from '../objects/s3-client.ts';
import { isLasting, statusOf } from '../objects/s3-refusals.ts';
import { retry } from './retry.ts';
import {
  stillLocked,
  explainingErrors,
  textBody,
  BackupStoreError,
  type Body,
  type BackupStore,
  type Retention,
} from './index.ts';

/** A silence this long is an outage; how long a large object takes is not limited. */
const silenceMs = 60_000;

export const createBackupClient = (options: S3Options): S3Client =>
  createS3Client(options, { requestTimeout: silenceMs, socketTimeout: silenceMs });

/**
 * Backups in an S3 bucket, whose default retention locks what is put there.
 *
 * @param lock what counts as one: of governance somebody with the right to bypass it may remove what is locked
 */
export function createS3BackupStore(options: S3Options, lock: Retention['lock']): BackupStore {
  const s3 = createBackupClient(options);
  const { bucket: Bucket } = options;
  const explained = (error: unknown) => explain(error, options);

  /** The SDK tries again only what it holds whole in memory. */
  async function write(key: string, body: Body, condition: { IfNoneMatch?: '*' }) {
    const put = () =>
      s3.send(
        new PutObjectCommand({
          Bucket,
          Key: key,
          Body: body.open(),
          ContentLength: body.size,
          ContentType: key.endsWith('.json') ? 'application/json' : 'application/octet-stream',
          ChecksumSHA256: Buffer.from(body.sha256, 'hex').toString('base64'),
          ...condition,
        }),
      );
    try {
      return await retry(async (earlier) => {
        try {
          return (await put()).VersionId;
        } catch (error) {
          // An earlier attempt wrote it, and its answer was lost.
          if (earlier > 0 && statusOf(error) === 412) return undefined;
          throw error;
        }
      }, isLasting);
    } catch (error) {
      throw explained(error);
    }
  }

  return {
    putOnce: (key, body) => write(key, body, { IfNoneMatch: '*' }),

    async put(key, text) {
      await write(key, textBody(text), {});
    },

    async read(key, version) {
      try {
        const { Body: found } = await s3.send(
          new GetObjectCommand({ Bucket, Key: key, ...(version !== undefined && { VersionId: version }) }),
        );
        return explainingErrors(found as Readable, explained);
      } catch (error) {
        if (statusOf(error) === 404 && !isNoBucket(error)) return undefined;
        throw explained(error);
      }
    },

    async list(prefix) {
      const keys: string[] = [];
      try {
        for await (const { Contents = [] } of paginateListObjectsV2(
          { client: s3 },
          { Bucket, Prefix: prefix },
        )) {
          keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
        }
      } catch (error) {
        throw explained(error);
      }
      return keys;
    },

    async lockedUntil(key, version) {
      try {
        const { ObjectLockRetainUntilDate: until, ObjectLockMode: mode } = await s3.send(
          new HeadObjectCommand({ Bucket, Key: key, ...(version !== undefined && { VersionId: version }) }),
        );
        return mode === 'COMPLIANCE' || lock === 'governance' ? stillLocked(until) : undefined;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw explained(error);
      }
    },
  };
}

const isNoBucket = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchBucket';

/** What failed, where, and what to change. */
export function explain(error: unknown, { bucket, endpoint = 'AWS' }: S3Options): BackupStoreError {
  const why = error instanceof Error ? `${error.name}: ${error.message.replace(/\.$/, '')}` : String(error);
  return new BackupStoreError(`The store of the backups (bucket ${bucket} at ${endpoint}) answered ${why}.`, {
    lasting: isLasting(error),
    advice: isNoBucket(error)
      ? 'Run: gitops setup'
      : (certificateAdvice(error, 'backup.caFile') ??
        'See backup in gitops.yaml, and the rights of its keys.'),
    unreachable: statusOf(error) === undefined,
    cause: error,
  });
}
