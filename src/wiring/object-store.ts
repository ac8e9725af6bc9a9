import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import type { ObjectStore } from '../systems/objects/index.ts';
import { createS3 } from '../systems/objects/s3.ts';

export function objectStoreOf({ objects }: Pick<Config, 'objects'>): ObjectStore {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey, caFile } = objects;
  if (caFile !== undefined) trustCertificates(caFile);
  const given = accessKeyId !== undefined && secretAccessKey !== undefined;
  return createS3({
    bucket,
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(given && {
      credentials: { accessKeyId: readSecret(accessKeyId), secretAccessKey: readSecret(secretAccessKey) },
    }),
  });
}
