import { S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { isLasting } from './s3-refusals.ts';

const answer = (httpStatusCode: number, name: string): S3ServiceException =>
  new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode } });

test.each([
  [403, 'AccessDenied'],
  [403, 'InvalidAccessKeyId'],
  [403, 'SignatureDoesNotMatch'],
  [404, 'NoSuchBucket'],
  [301, 'PermanentRedirect'],
  [400, 'AuthorizationHeaderMalformed'],
])('%i %s is the same until a person changes something', (status, name) => {
  expect(isLasting(answer(status, name))).toBe(true);
});

test.each([
  [503, 'SlowDown'],
  [500, 'InternalError'],
  [429, 'TooManyRequests'],
  [409, 'ConditionalRequestConflict'],
  [400, 'IncompleteBody'],
  [400, 'ExpiredToken'],
  [403, 'RequestTimeTooSkewed'],
])('%i %s may pass by itself', (status, name) => {
  expect(isLasting(answer(status, name))).toBe(false);
});

test('no answer at all may pass by itself', () => {
  expect(isLasting(new Error('connect ECONNREFUSED'))).toBe(false);
});
