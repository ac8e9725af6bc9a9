import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import { inDestination } from './destination.ts';
import { UnseenCluster } from './index.ts';

/** The other cluster: who asked it, and what it says to them. */
let server: Server;
let url: string;
let asked: (string | undefined)[];
let status: number;

beforeAll(async () => {
  server = createServer(({ headers }, response) => {
    asked.push(headers.authorization);
    response.writeHead(status).end('{"message":"no"}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
  status = 200;
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const insecure = { tlsClientConfig: { insecure: true } };
const secret = (name: string, config: object | string, more: { name?: string; server?: string } = {}) => ({
  metadata: { name: `cluster-${name}` },
  data: {
    name: base64(more.name ?? name),
    server: base64(more.server ?? url),
    config: base64(typeof config === 'string' ? config : JSON.stringify({ ...insecure, ...config })),
  },
});

/** Argo CD's own cluster, with these Secrets. */
function home(...secrets: object[]) {
  const all = { secrets, listed: [] as unknown[] };
  const kubernetes = {
    async text(path: string, query: unknown) {
      all.listed.push([path, query]);
      if (all.secrets.length === 0) throw new KubernetesError(403, 'secrets is forbidden.');
      return JSON.stringify({ metadata: {}, items: all.secrets });
    },
  } as Partial<Kubernetes> as Kubernetes;
  return Object.assign(all, { home: { kubernetes, namespace: 'argocd' } });
}

const version = (kubernetes: Kubernetes) => kubernetes.get('/version');
const refusal = (secrets: object[], destination: object) =>
  inDestination(home(...secrets).home, destination, version).then(
    () => 'it was seen',
    (error: unknown) => {
      expect(error).toBeInstanceOf(UnseenCluster);
      return String(error);
    },
  );

test.each([{ name: 'in-cluster' }, { server: 'https://kubernetes.default.svc' }])(
  'Argo CD’s own cluster needs no Secret: %j',
  async (destination) => {
    const { home: own, listed } = home();
    expect(await inDestination(own, destination, async (kubernetes) => kubernetes)).toBe(own.kubernetes);
    expect(listed).toEqual([]);
  },
);

test('it may have another name', async () => {
  const { home: own } = home(secret('main', {}, { server: 'https://kubernetes.default.svc' }));
  expect(await inDestination(own, { name: 'main' }, async (kubernetes) => kubernetes)).toBe(own.kubernetes);
});

test('another cluster is found by its name or its address, and entered with what Argo CD enters it with', async () => {
  const { home: own, listed } = home(
    secret('us', { bearerToken: 'token-us' }, { server: 'http://127.0.0.1:1' }),
    secret('eu', { bearerToken: 'token-eu' }, { server: `${url}/` }),
  );
  await inDestination(own, { name: 'eu' }, version);
  await inDestination(own, { server: url }, version);
  expect(asked).toEqual(['Bearer token-eu', 'Bearer token-eu']);
  expect(listed[0]).toEqual([
    '/api/v1/namespaces/argocd/secrets',
    expect.objectContaining({ labelSelector: 'argocd.argoproj.io/secret-type=cluster' }),
  ]);
});

test('a password is as good as a token', async () => {
  await inDestination(home(secret('eu', { username: 'us', password: 'er' })).home, { name: 'eu' }, version);
  expect(asked).toEqual([`Basic ${base64('us:er')}`]);
});

test('credentials that were renewed are taken at once', async () => {
  const own = home(secret('eu', { bearerToken: 'old' }));
  await inDestination(own.home, { name: 'eu' }, version);
  own.secrets = [secret('eu', { bearerToken: 'new' })];
  await inDestination(own.home, { name: 'eu' }, version);
  expect(asked).toEqual(['Bearer old', 'Bearer new']);
});

test.each(['awsAuthConfig', 'execProviderConfig'])(
  'credentials that a command fetches are refused, and no command is run: %s',
  async (key) => {
    const secrets = [secret('eu', { [key]: { command: 'touch', args: ['/tmp/touched'] } })];
    expect(await refusal(secrets, { name: 'eu' })).toMatch(
      new RegExp(
        `Cluster eu cannot be looked into from here: Argo CD's Secret cluster-eu has ${key}, .* none is run`,
      ),
    );
    expect(asked).toEqual([]);
  },
);

test('what stands in the way is told, and never a secret', async () => {
  expect(await refusal([], { name: 'eu' })).toMatch(/secrets is forbidden\. Give the account that right/);
  const us = secret('us', { bearerToken: 'hunter2' });
  expect(await refusal([us], { name: 'eu' })).toMatch(/Argo CD has no Secret for it in argocd/);
  expect(await refusal([us, secret('us-too', {}, { name: 'us' })], { name: 'us' })).toMatch(
    /Both Secrets cluster-us and cluster-us-too/,
  );
  expect(await refusal([secret('us', '{"bearerToken": "hunter2", ')], { name: 'us' })).toMatch(
    /Argo CD's Secret cluster-us has a config that cannot be read\.$/,
  );
  expect(await refusal([secret('us', { bearerToken: 'hunter2\r\nx: y' })], { name: 'us' })).toMatch(
    /a config that cannot be read\.$/,
  );
  for (const answer of [401, 403, 500]) {
    status = answer;
    const told = await refusal([us], { name: 'us' });
    expect(told).toContain(`Cluster us cannot be looked into from here: GET ${url}/version: ${answer} no.`);
    if (answer === 401)
      expect(told).toContain("Renew the credentials that Argo CD's Secret cluster-us names.");
    expect(told).not.toContain('hunter2');
  }
  const gone = secret('us', { bearerToken: 'hunter2' }, { server: 'http://127.0.0.1:1' });
  expect(await refusal([gone], { name: 'us' })).not.toContain('hunter2');
});
