import { S3Client } from '@aws-sdk/client-s3';

export interface S3Options {
  /** Of an S3 that is not AWS; then buckets are in the path. */
  endpoint?: string;
  bucket: string;
  region: string;
  /** Without them, the AWS environment's own chain. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** @param patience in ms: until an answer begins, and, where it is given, of silence in the middle of one */
export function createS3Client(
  { endpoint, region, credentials }: S3Options,
  patience: { requestTimeout: number; socketTimeout?: number },
): S3Client {
  return new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials && { credentials }),
    maxAttempts: 4,
    requestHandler: {
      ...patience,
      connectionTimeout: 5000,
      // The SDK's connections are its own, and know no proxy by themselves.
      httpAgent: { proxyEnv: process.env },
      httpsAgent: { proxyEnv: process.env },
    },
    // Some stores refuse the CRC32 that the SDK would add on its own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
