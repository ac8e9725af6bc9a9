import { S3ServiceException } from '@aws-sdk/client-s3';

/** Bytes that changed or stayed away on their way; a token that is renewed and a clock that is set by themselves. */
const passing = new Set([
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'XAmzContentSHA256Mismatch',
  'ExpiredToken',
  'RequestTimeTooSkewed',
]);

export const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** Whether another attempt would fail too: not after overload, a conflict of two writers, damage or a lost connection. */
export function isLasting(error: unknown): boolean {
  const status = statusOf(error) ?? 500;
  if (error instanceof S3ServiceException && passing.has(error.name)) return false;
  return status >= 300 && status < 500 && ![408, 409, 429].includes(status);
}
