import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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
  access = { host, insecure: true, login: { username: 'bot', password: () => 's3cret' } };
  close = () => server.close();
});
afterEach(() => {
  vi.unstubAllGlobals();
  close();
});

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

const repository = 'repository:bakery/orders';
const bearer = (fields: string) => ({ status: 401, headers: { 'www-authenticate': `Bearer ${fields}` } });

test.each([
  [
    'as registries do',
    'realm="REALM",service="registry",scope="SCOPE:pull"',
    'service=registry&scope=SCOPE:pull',
  ],
  ['without a scope', 'realm="REALM",service="registry"', 'service=registry&scope=SCOPE:pull'],
  ['without a service', 'realm="REALM",scope="SCOPE:pull"', 'scope=SCOPE:pull'],
  ['with several scopes', 'realm="REALM",scope="SCOPE:pull other:x:y"', 'scope=SCOPE:pull&scope=other:x:y'],
  ['without quotes', 'realm=REALM, service=a-b', 'service=a-b&scope=SCOPE:pull'],
  [
    'in capitals, with commas in quotes',
    'Realm="REALM" , Service="a, \\"b\\""',
    'service=a,+"b"&scope=SCOPE:pull',
  ],
  ['with a query of its own', 'realm="REALM?account=x"', 'account=x&scope=SCOPE:pull'],
  ['beside Basic', 'realm="REALM", Basic realm="registry"', 'scope=SCOPE:pull'],
])('a token is asked for where the registry wants one %s', async (_, fields, query) => {
  const asked: string[] = [];
  answer = (path, authorization) => {
    if (path.startsWith('/token')) {
      asked.push(decodeURIComponent(path.replace('/token?', '')), authorization ?? 'anonymous');
      return { status: 200, body: { token: null, access_token: 'a-token' } };
    }
    if (authorization === undefined) {
      return bearer(fields.replace('REALM', `http://${access.host}/token`).replace('SCOPE', repository));
    }
    expect(authorization).toBe('Bearer a-token');
    return { status: 404, body: says('MANIFEST_UNKNOWN', 'manifest unknown') };
  };
  expect(await labels()).toBeUndefined();
  const login = `Basic ${Buffer.from('bot:s3cret').toString('base64')}`;
  expect(asked).toEqual([query.replaceAll('SCOPE', repository), login]);
});

test('a token is asked for before a password is sent, in whatever order they are offered', async () => {
  answer = (path, authorization) => {
    if (path.startsWith('/token')) return { status: 200, body: { token: 'a-token' } };
    if (authorization === 'Bearer a-token') return { status: 404 };
    const challenge = `Basic realm="a", Bearer realm="http://${access.host}/token"`;
    return { status: 401, headers: { 'www-authenticate': challenge } };
  };
  expect(await labels()).toBeUndefined();
});

test.each(['docker.io/bakery/orders', 'bakery/orders', 'index.docker.io/bakery/orders'])(
  'an image %s is looked for where Docker Hub has its API, with the login for it',
  async (name) => {
    const hub = access.host;
    const asked: string[] = [];
    answer = (path, authorization) => {
      asked.push(`${authorization?.split(' ')[0] ?? 'nobody'} ${decodeURIComponent(path)}`);
      if (path.startsWith('/token')) return { status: 200, body: { token: 'a-token' } };
      if (authorization === undefined) {
        return bearer(
          `realm="https://auth.docker.io/token",service="registry.docker.io",scope="${repository}:pull"`,
        );
      }
      if (path.includes('/manifests/')) return { status: 200, body: { config: { digest: 'sha256:c' } } };
      return { status: 200, body: { config: { Labels: { revision: 'abc' } } } };
    };
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', (url: string, request: RequestInit) =>
      fetch(url.replace(/^https:\/\/(registry-1|auth)\.docker\.io/, `http://${hub}`), request),
    );
    const login = { username: 'bakery', password: () => 's3cret' };
    const image = { name, digest: `sha256:${'a'.repeat(64)}` };
    expect(await readLabels({ host: 'docker.io', insecure: false, login }, image)).toEqual({
      revision: 'abc',
    });
    const token = `Basic /token?service=registry.docker.io&scope=${repository}:pull`;
    const manifest = `/v2/bakery/orders/manifests/${image.digest}`;
    const config = '/v2/bakery/orders/blobs/sha256:c';
    expect(asked).toEqual([
      ...[`nobody ${manifest}`, token, `Bearer ${manifest}`],
      ...[`nobody ${config}`, token, `Bearer ${config}`],
    ]);
  },
);

test('a login is never sent to another registry than its own', async () => {
  answer = (_, authorization) => {
    expect(authorization).toBeUndefined();
    return { status: 401, headers: basic };
  };
  const stranger = { ...access, host: 'registry.example' };
  const image = { name: `${access.host}/bakery/orders`, digest: `sha256:${'a'.repeat(64)}` };
  expect(await errorOf(readLabels(stranger, image))).toMatchObject({ kind: 'auth' });
});

const revision = 'org.opencontainers.image.revision';
const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };
const unknown = { os: 'unknown', architecture: 'unknown' };

/** An index of images of some platforms, by what their labels say; a registry answers it to those that take one. */
const index = (images: { platform: object; labels: Record<string, string> | undefined }[]) => {
  answer = (path) => {
    const [, digest = ''] = path.split('/sha256:');
    const own = images[Number(digest)];
    if (path.includes('/blobs/')) return { status: 200, body: { config: { Labels: own?.labels } } };
    if (digest.length < 64) {
      return own?.labels
        ? { status: 200, body: { config: { digest: `sha256:${digest}` } } }
        : { status: 404, body: says('MANIFEST_UNKNOWN', 'manifest unknown') };
    }
    const manifests = images.map(({ platform }, i) => ({ digest: `sha256:${i}`, platform }));
    return { status: 200, body: { schemaVersion: 2, manifests } };
  };
};

test('of an index the one image is read, whatever its builder attests beside it', async () => {
  index([
    { platform: amd64, labels: { [revision]: 'abc', stage: 'app' } },
    { platform: unknown, labels: { [revision]: 'none' } },
  ]);
  expect(await labels()).toEqual({ [revision]: 'abc', stage: 'app' });
});

test('several platforms of one revision are one image, with the labels that all of them have', async () => {
  index([
    { platform: amd64, labels: { [revision]: 'abc', base: 'amd64' } },
    { platform: arm64, labels: { [revision]: 'abc', base: 'arm64' } },
  ]);
  expect(await labels()).toEqual({ [revision]: 'abc' });
});

test.each([
  [{ [revision]: 'def' }, 'linux/arm64 def'],
  [{}, 'linux/arm64 (none)'],
  [undefined, 'linux/arm64 (none)'],
])('several platforms of different revisions are told as that: %j', async (other, told) => {
  index([
    { platform: amd64, labels: { [revision]: 'abc' } },
    { platform: arm64, labels: other },
  ]);
  const error = await errorOf(labels());
  expect(error).toMatchObject({ kind: 'invalid', lasting: true });
  expect(error.message).toContain(
    `has several platforms, labelled as different revisions: linux/amd64 abc, ${told}. Build them all`,
  );
});

test('an index without any image is none', async () => {
  index([{ platform: unknown, labels: {} }]);
  expect(await errorOf(labels())).toMatchObject({ kind: 'invalid', lasting: true });
});
