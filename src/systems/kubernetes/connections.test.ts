import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createKubernetes } from './api-client.ts';
import type { Kubernetes } from './index.ts';

/** Requests to an API server, and on how many connections they come. */
let server: Server;
let kubernetes: Kubernetes;
let connections = 0;
const certificate = join(mkdtempSync(join(tmpdir(), 'connections-')), 'client.crt');

beforeAll(async () => {
  server = createServer((_, response) => response.end('{}'));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});

afterAll(() => server.close());

beforeEach(() => {
  const { port } = server.address() as AddressInfo;
  const file = join(mkdtempSync(join(tmpdir(), 'connections-')), 'kubeconfig');
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  writeFileSync(certificate, 'first');
  writeFileSync(
    file,
    stringify({
      'current-context': 'own',
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'own' } }],
      clusters: [{ name: 'own', cluster }],
      users: [{ name: 'own', user: { 'client-certificate': certificate } }],
    }),
  );
  kubernetes = createKubernetes(file);
  connections = 0;
});

const ask = () => kubernetes.get('/version');

test('requests one after another share connections', async () => {
  for (let asked = 0; asked < 20; asked += 1) await ask();
  // One may be on its way back to the pool when the next request comes.
  expect(connections).toBeLessThan(4);
});

test('a certificate that was renewed is used at once, and what is under way ends', async () => {
  await ask();
  const before = connections;
  const underWay = ask();
  writeFileSync(certificate, 'renewed');
  await Promise.all([underWay, ask()]);
  expect(connections).toBeGreaterThan(before);
});
