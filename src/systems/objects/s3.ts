import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { certificateAdvice } from '../network/certificates.ts';
import { ObjectStoreError, type ListedObject, type ObjectStore } from './index.ts';
import { createS3Client, type S3Options } from './s3-client.ts';
import { isLasting } from './s3-refusals.ts';

/** A document is a few kilobytes and a log a few megabytes: slower than this is a fault, to be tried again. */
const requestTimeoutMs = 30_000;

export function createS3(options: S3Options): ObjectStore {
  const s3 = createS3Client(options, { requestTimeout: requestTimeoutMs });
  const { bucket, endpoint } = options;

  return {
    async get(key, part) {
      try {
        const { Body, ETag } = await s3.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(part && { Range: 'last' in part ? `bytes=-${part.last}` : `bytes=${part.after}-` }),
          }),
        );
        return { body: (await Body?.transformToString()) ?? '', etag: ETag ?? '' };
      } catch (error) {
        if (is(error, 'NoSuchKey')) return undefined;
        // An empty object has no last bytes, and none has any after its end.
        if (is(error, 'InvalidRange')) return { body: '', etag: '' };
        throw explained(error, bucket, endpoint);
      }
    },

    async put(key, body, { ifAbsent, ifMatch } = {}) {
      try {
        await s3.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentType: key.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8',
            ...(ifAbsent && { IfNoneMatch: '*' }),
            ...(ifMatch !== undefined && { IfMatch: ifMatch }),
          }),
        );
        return true;
      } catch (error) {
        if (is(error, 'PreconditionFailed')) return false;
        throw explained(error, bucket, endpoint);
      }
    },

    async list(prefix, limit) {
      try {
        const listed: ListedObject[] = [];
        let more: string | undefined;
        do {
          const found = await s3.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              MaxKeys: Math.min(limit - listed.length, 1000),
              ContinuationToken: more,
            }),
          );
          for (const { Key: key = '', Size: size = 0, LastModified } of found.Contents ?? []) {
            listed.push({ key, size, writtenAt: LastModified?.toISOString() ?? '' });
          }
          more = found.NextContinuationToken;
        } while (more !== undefined && listed.length < limit);
        return listed;
      } catch (error) {
        throw explained(error, bucket, endpoint);
      }
    },
  };
}

const is = (error: unknown, name: string): boolean =>
  error instanceof S3ServiceException && error.name === name;

function explained(error: unknown, bucket: string, endpoint = 'AWS'): ObjectStoreError {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new ObjectStoreError(`The object store (bucket ${bucket} at ${endpoint}) answered ${why}.`, {
    lasting: isLasting(error),
    advice:
      certificateAdvice(error, 'objects.caFile') ?? 'See objects in gitops.yaml, and the rights of its keys.',
    unreachable: !(error instanceof S3ServiceException),
    cause: error,
  });
}
