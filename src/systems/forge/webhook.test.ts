import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { EventRefused, deliveryIdIn, readEvent, verifySignature } from './webhook.ts';

const secret = 'a-secret';
const bytes = (body: unknown) => new TextEncoder().encode(JSON.stringify(body));
const hmac = (body: Uint8Array, algorithm = 'sha256') =>
  createHmac(algorithm, secret).update(body).digest('hex');
const body = bytes({ ref: 'refs/heads/main', repository: { full_name: 'team/platform' } });

test.each([
  ['x-hub-signature-256', `sha256=${hmac(body)}`],
  ['x-gitea-signature', hmac(body)],
])('what was signed with our secret is believed to come from the forge (%s)', (header, signature) => {
  expect(() => verifySignature(new Headers({ [header]: signature }), body, secret)).not.toThrow();
});

test.each([
  ['no signature', {}],
  ['a SHA-1 signature', { 'x-hub-signature': `sha1=${hmac(body, 'sha1')}` }],
  ['a SHA-1 digest in the other header', { 'x-hub-signature-256': `sha256=${hmac(body, 'sha1')}` }],
  ['a truncated signature', { 'x-hub-signature-256': `sha256=${hmac(body).slice(0, 32)}` }],
  ['an empty signature', { 'x-hub-signature-256': '' }],
  ['the signature of another body', { 'x-hub-signature-256': `sha256=${hmac(bytes({}))}` }],
  ['the signature of the same JSON, serialised again', { 'x-gitea-signature': hmac(bytes({ ref: 1 })) }],
  ['a signature that is no hex', { 'x-gitea-signature': 'z'.repeat(64) }],
])('%s is refused', (_, headers: Record<string, string>) => {
  expect(() => verifySignature(new Headers(headers), body, secret)).toThrow(EventRefused);
});

test('a push tells its branch', () => {
  const headers = new Headers({ 'x-github-event': 'push' });
  expect(readEvent(headers, body)).toEqual({ kind: 'push', repository: 'team/platform', branch: 'main' });
});

test('a tag is no branch', () => {
  const tag = bytes({ ref: 'refs/tags/main', repository: { full_name: 'team/platform' } });
  expect(readEvent(new Headers({ 'x-github-event': 'push' }), tag)).toMatchObject({
    branch: 'refs/tags/main',
  });
});

test.each(['pull_request', 'pull_request_review', 'pull_request_approved', 'pull_request_rejected'])(
  '%s tells its pull request',
  (name) => {
    const event = bytes({
      repository: { full_name: 'team/platform' },
      pull_request: { number: 7, head: { ref: 'gitops/staging/api/x', label: 'gitops/staging/api/x' } },
    });
    expect(readEvent(new Headers({ 'x-gitea-event': name }), event)).toEqual({
      kind: 'pull-request',
      repository: 'team/platform',
      number: 7,
      branch: 'gitops/staging/api/x',
    });
  },
);

test('a pull request whose branch is gone still tells its name', () => {
  const event = bytes({
    repository: { full_name: 'team/platform' },
    pull_request: { number: 7, head: { ref: 'refs/pull/7/head', label: 'gitops/staging/api/x' } },
  });
  expect(readEvent(new Headers({ 'x-gitea-event': 'pull_request' }), event)).toMatchObject({
    branch: 'gitops/staging/api/x',
  });
});

test.each(['opened', 'labeled', 'label_updated'])(
  'what a promotion does itself (%s) is news to nobody',
  (action) => {
    const event = bytes({
      action,
      repository: { full_name: 'team/platform' },
      pull_request: { number: 7, head: { ref: 'gitops/staging/api/x', label: 'team:gitops/staging/api/x' } },
    });
    expect(readEvent(new Headers({ 'x-github-event': 'pull_request' }), event).kind).toBe('other');
  },
);

test.each(['submitted', 'closed', 'edited', 'synchronize', 'reviewed', undefined])(
  'what people do to a pull request (%s) is told',
  (action) => {
    const event = bytes({
      action,
      repository: { full_name: 'team/platform' },
      pull_request: { number: 7, head: { ref: 'gitops/staging/api/x', label: 'team:gitops/staging/api/x' } },
    });
    expect(readEvent(new Headers({ 'x-github-event': 'pull_request' }), event).kind).toBe('pull-request');
  },
);

test('other events are known by their name', () => {
  expect(readEvent(new Headers({ 'x-github-event': 'ping' }), bytes({ zen: '' }))).toMatchObject({
    kind: 'other',
    name: 'ping',
  });
});

test.each([
  ['malformed JSON', new TextEncoder().encode('{"ref":')],
  ['no JSON at all', new Uint8Array([0xff, 0x00])],
  ['nothing', new Uint8Array()],
  ['another shape', bytes({ ref: 7, repository: {} })],
  ['a list', bytes([])],
])('%s is refused', (_, raw) => {
  expect(() => readEvent(new Headers({ 'x-github-event': 'push' }), raw)).toThrow(EventRefused);
});

test.each([undefined, '', 'a b', 'x'.repeat(65)])('a delivery ID %j is refused', (id) => {
  expect(() => deliveryIdIn(new Headers(id === undefined ? {} : { 'x-github-delivery': id }))).toThrow(
    EventRefused,
  );
});
