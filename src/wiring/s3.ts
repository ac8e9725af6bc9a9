import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import type { S3Options } from '../systems/objects/s3-client.ts';

type Bucket = Pick<Config['objects'], 'bucket' | 'endpoint' | 'region'>;
export type AccessKey = Pick<Config['objects'], 'accessKeyId' | 'secretAccessKey'>;

/** How a bucket of the configuration is reached. Without a key: with what the AWS SDK finds by itself. */
export const s3OptionsOf = (
  { bucket, endpoint, region }: Bucket,
  { accessKeyId, secretAccessKey }: AccessKey,
): S3Options => ({
  bucket,
  region,
  ...(endpoint !== undefined && { endpoint }),
  ...(accessKeyId !== undefined &&
    secretAccessKey !== undefined && {
      credentials: { accessKeyId: readSecret(accessKeyId), secretAccessKey: readSecret(secretAccessKey) },
    }),
});
