import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createWeb } from '../src/server.js';

let api;
let web;
let base;

before(async () => {
  // An API that says what reached it.
  api = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.writeHead(422).end(JSON.stringify({ path: request.url, body }));
  }).listen(0);
  await once(api, 'listening');
  web = createWeb({ apiUrl: `http://127.0.0.1:${api.address().port}`, environment: 'staging' }).listen(0);
  await once(web, 'listening');
  base = `http://127.0.0.1:${web.address().port}`;
});

after(() => {
  for (const server of [web, api]) server.close();
});

test('the page tells its environment and loads what it names', async () => {
  const page = await (await fetch(base)).text();
  assert.match(page, /<span id="environment">staging<\/span>/);
  for (const [, path] of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    assert.equal((await fetch(base + path)).status, 200, path);
  }
});

test('a submission goes to the API and its answer comes back as it is', async () => {
  const response = await fetch(`${base}/api/claims`, { method: 'POST', body: '{"claimNumber":"W-1"}' });
  assert.equal(response.status, 422);
  assert.deepEqual(await response.json(), { path: '/claims', body: '{"claimNumber":"W-1"}' });
});

test('nothing else of the API or of the disk can be reached', async () => {
  for (const path of ['/api/metrics', '/api/../claims', '/../package.json', '/%2e%2e/package.json']) {
    assert.equal((await fetch(base + path, { method: 'POST' })).status, 404, path);
    assert.equal((await fetch(base + path)).status, 404, path);
  }
});

test('a body beyond the limit is refused', async () => {
  assert.equal(
    (await fetch(`${base}/api/claims`, { method: 'POST', body: ' '.repeat(1_000_001) })).status,
    413,
  );
});

test('an environment that is no name is refused at the start', () => {
  assert.throws(() => createWeb({ apiUrl: 'http://api', environment: '<script>' }));
});

test('a body that breaks off harms nobody else', async () => {
  const { port } = web.address();
  const socket = connect(port).end('POST /api/claims HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{');
  await once(socket.resume(), 'close');
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});

test('SIGTERM ends the process cleanly; an API that is away is told', async () => {
  const environment = { ...process.env, PORT: '0', API_URL: 'http://127.0.0.1:9', ENVIRONMENT: 'dev' };
  const running = spawn(process.execPath, ['src/main.js'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(running.stdout, 'data');
  const url = `http://127.0.0.1:${JSON.parse(line).listening}`;
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  assert.equal((await fetch(`${url}/api/claims`, { method: 'POST', body: '{}' })).status, 503);
  running.kill('SIGTERM');
  assert.deepEqual(await once(running, 'exit'), [0, null]);
});
