import { createHmac, randomUUID } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Logger } from '@temporalio/common';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { createApp } from './server/app.ts';
import type { ForgeEvent } from './systems/forge/webhook.ts';

const secret = 'webhook-secret-of-the-test';
const take = vi.fn<(event: ForgeEvent) => Promise<string>>();
const logged: string[] = [];
const note = (message: string, facts?: object) => void logged.push(message + JSON.stringify(facts ?? {}));
const log: Logger = { log: () => {}, trace: note, debug: note, info: note, warn: note, error: note };

let server: ServerType;
let url: string;
let configured: string | undefined;

beforeEach(async () => {
  take.mockReset().mockResolvedValue('done');
  logged.length = 0;
  configured = secret;
  const { fetch } = createApp({
    webhookSecret: () => configured,
    take,
    checkTemporal: () => Promise.reject(new Error('no Temporal here')),
    log,
  });
  server = createAdaptorServer({ fetch });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => void server.close(resolve)));

const push = JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: 'team/platform' } });
const sign = (body: string, key = secret) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

function send(body: string, headers: Record<string, string | undefined> = {}): Promise<Response> {
  const all = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': sign(body),
    ...headers,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return fetch(`${url}/webhooks/forge`, { method: 'POST', headers: Object.fromEntries(given), body });
}

test('a signed event is taken', async () => {
  const response = await send(push);

  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({ done: 'done' });
  expect(take).toHaveBeenCalledWith({ kind: 'push', repository: 'team/platform', branch: 'main' });
});

test.each([
  ['unsigned', push, { 'x-hub-signature-256': undefined }, 401],
  ['signed with another secret', push, { 'x-hub-signature-256': sign(push, 'other') }, 401],
  ['signed for another body', push, { 'x-hub-signature-256': sign(`${push} `) }, 401],
  ['with a truncated signature', push, { 'x-hub-signature-256': sign(push).slice(0, 40) }, 401],
  ['signed with SHA-1 only', push, { 'x-hub-signature-256': undefined, 'x-hub-signature': 'sha1=00' }, 401],
  [
    'written anew on its way',
    `${push.slice(0, 1)} ${push.slice(1)}`,
    { 'x-hub-signature-256': sign(push) },
    401,
  ],
  ['with more than a signature', push, { 'x-hub-signature-256': `${sign(push)}00` }, 401],
  ['with an empty signature', push, { 'x-hub-signature-256': 'sha256=' }, 401],
  ['with a signature by name only', push, { 'x-hub-signature-256': 'sha512=00' }, 401],
  [
    'with a wrong signature of Gitea',
    push,
    { 'x-hub-signature-256': undefined, 'x-gitea-signature': sign('x').slice(7) },
    401,
  ],
  ['with a token', push, { 'x-hub-signature-256': undefined, authorization: `Bearer ${secret}` }, 401],
  ['whose delivery ID is no ID', push, { 'x-github-delivery': '../1' }, 400],
  [
    'of a pull request that is none',
    '{"repository":{"full_name":"team/platform"}}',
    { 'x-github-event': 'pull_request' },
    400,
  ],
  ['that is malformed JSON', '{"ref":', {}, 400],
  ['without a delivery ID', push, { 'x-github-delivery': undefined }, 400],
  ['of another shape', '{"ref":1}', {}, 400],
])('an event %s is refused, and nothing happens', async (_, body, headers, status) => {
  const response = await send(body, headers);

  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ error: expect.any(String) });
  expect(take).not.toHaveBeenCalled();
});

test('a refusal says what to do', async () => {
  const unsigned = await send(push, { 'x-hub-signature-256': undefined });
  expect(await unsigned.json()).toEqual({
    error:
      'Not signed with SHA-256. Give the webhook the secret that forge.webhookSecret in gitops.yaml refers to.',
  });
  const form = await send('payload=%7B%7D');
  expect(await form.json()).toEqual({
    error: 'The body is not JSON. Set the webhook’s content type to application/json.',
  });
});

test('without a secret no webhook is believed', async () => {
  configured = undefined;
  expect((await send(push, { 'x-hub-signature-256': sign(push, '') })).status).toBe(401);
  expect(take).not.toHaveBeenCalled();
});

test('a delivery is taken once', async () => {
  const headers = { 'x-github-delivery': 'the-same' };
  expect((await send(push, headers)).status).toBe(202);
  const again = await send(push, headers);

  expect(again.status).toBe(409);
  expect(take).toHaveBeenCalledTimes(1);
});

test('a delivery that could not be taken may be sent again', async () => {
  const headers = { 'x-github-delivery': 'the-same' };
  take.mockRejectedValueOnce(new Error(`no Temporal, and ${secret} besides`));

  const failed = await send(push, headers);
  expect(failed.status).toBe(503);
  expect(await failed.text()).not.toContain(secret);
  expect((await send(push, headers)).status).toBe(202);
});

test('a body of 50 MB is refused, announced or not', async () => {
  const body = 'x'.repeat(50 * 1024 * 1024);
  const announced = await send(body);
  expect(announced.status).toBe(413);

  const chunks = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 50; sent += 1) controller.enqueue(new Uint8Array(1024 * 1024));
      controller.close();
    },
  });
  const streamed = await fetch(`${url}/webhooks/forge`, {
    method: 'POST',
    headers: { 'x-hub-signature-256': sign('') },
    body: chunks,
    duplex: 'half',
  }).then(
    ({ status }) => status,
    // The connection may be cut while the rest is still being sent.
    () => 413,
  );
  expect(streamed).toBe(413);
  expect(take).not.toHaveBeenCalled();
});

test('a body that breaks off is not taken', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const request = [
    'POST /webhooks/forge HTTP/1.1',
    'host: test',
    `x-hub-signature-256: ${sign(push)}`,
    'x-github-event: push',
    'x-github-delivery: broken-off',
    `content-length: ${push.length}`,
    '',
    push.slice(0, -1),
  ];
  await new Promise<void>((resolve) => void socket.write(request.join('\r\n'), () => resolve()));
  socket.destroy();

  expect((await send(push, { 'x-github-delivery': 'broken-off' })).status).toBe(202);
  expect(take).toHaveBeenCalledTimes(1);
});

test('the secret is in no answer and in no log', async () => {
  const answers = await Promise.all([
    send(push),
    send(push, { 'x-hub-signature-256': sign(push, 'other') }),
    send('{'),
  ]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  expect([...texts, ...logged].join('\n')).not.toContain(secret);
});

test('it lives without Temporal, but is not ready', async () => {
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ error: 'Temporal is out of reach.' });
});

test('other paths and methods are not found', async () => {
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/webhooks/forge`)).status).toBe(404);
});
