import type { Config } from '../config/schema.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import type { ObjectStore } from '../systems/objects/index.ts';
import { createS3 } from '../systems/objects/s3.ts';
import { s3OptionsOf } from './s3.ts';

export function objectStoreOf({ objects }: Pick<Config, 'objects'>): ObjectStore {
  if (objects.caFile !== undefined) trustCertificates(objects.caFile);
  return createS3(s3OptionsOf(objects, objects));
}
