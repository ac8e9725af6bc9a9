import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryError } from './index.ts';
import { readLabels, tryPush, type RegistryAccess } from './registry.ts';

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

let answer: (path: string, authorization: string | undefined) => Answer;
let access: RegistryAccess;
let close: () => void;

beforeEach(async () => {
  const server = createServer((incoming, outgoing) => {
    const { status, body = '', headers } = answer(incoming.url ?? '', incoming.headers.authorization);
    outgoing.writeHead(status, headers);
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  access = { host, insecure: true, login: { username: 'bot', password: 's3cret' } };
  close = () => server.close();
});
afterEach(() => close());

const errorOf = (work: Promise<unknown>): Promise<RegistryError> =>
  work.then(
    () => expect.unreachable('It did not fail.'),
    (error: unknown) => error as RegistryError,
  );
const push = () => errorOf(tryPush(access, `${access.host}/bakery/orders`));
const labels = () =>
  readLabels(access, { name: `${access.host}/bakery/orders`, digest: `sha256:${'a'.repeat(64)}` });

const says = (code: string, message: string) => ({ errors: [{ code, message, detail: null }] });
const basic = { 'www-authenticate': 'Basic realm="registry"' };

test.each([
  [401, says('UNAUTHORIZED', 'authentication required'), 'auth', 'authentication required'],
  [403, says('DENIED', 'requested access to the resource is denied'), 'forbidden', 'resource is denied'],
  [404, says('NAME_UNKNOWN', 'repository name not known to registry'), 'missing', 'not known to registry'],
  [429, says('TOOMANYREQUESTS', 'You have reached your pull rate limit.'), 'rate-limited', 'pull rate limit'],
  [500, says('UNKNOWN', 'unknown error'), 'unavailable', 'unknown error'],
  [503, '<html><head><title>503 Service Unavailable</title></head></html>', 'unavailable', '503 Service'],
] as const)('a push that is answered %i %j is %s', async (status, body, kind, words) => {
  answer = () => ({ status, body, headers: basic });
  const error = await push();
  expect(error).toMatchObject({ kind, lasting: kind !== 'unavailable' && kind !== 'rate-limited' });
  expect(error.message).toContain(words);
  expect(error.message).not.toContain('s3cret');
});

test('for how long it wants to be left alone is told', async () => {
  answer = () => ({ status: 429, headers: { 'retry-after': '30' } });
  expect(await push()).toMatchObject({ kind: 'rate-limited', retryAfterMs: 30_000 });
});

test('a login that the server of tokens refuses is refused for good, with its words', async () => {
  answer = (path) =>
    path.startsWith('/token')
      ? { status: 401, body: { details: 'incorrect username or password' } }
      : {
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="http://${access.host}/token",service="registry"` },
        };
  const error = await push();
  expect(error).toMatchObject({ kind: 'auth', lasting: true });
  expect(error.message).toMatch(/incorrect username or password.* Check registry\.login in gitops\.yaml/);
});

test('a challenge that nobody can answer is no outage', async () => {
  answer = () => ({ status: 401, headers: { 'www-authenticate': 'Negotiate' } });
  expect(await push()).toMatchObject({ kind: 'auth', lasting: true });
  answer = () => ({ status: 401 });
  expect(await push()).toMatchObject({ kind: 'auth', lasting: true });
});

test('labels are read, an image that is not there is none, and a page in its place is an outage', async () => {
  answer = (path) =>
    path.includes('/manifests/')
      ? { status: 200, body: { config: { digest: 'sha256:c' } } }
      : { status: 200, body: { config: { Labels: { revision: 'abc' } } } };
  expect(await labels()).toEqual({ revision: 'abc' });
  answer = () => ({ status: 404, body: says('MANIFEST_UNKNOWN', 'manifest unknown') });
  expect(await labels()).toBeUndefined();
  answer = () => ({ status: 200, body: '<html>Log in</html>' });
  expect(await errorOf(labels())).toMatchObject({ kind: 'unavailable', lasting: false });
});
