import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createCodec } from '../systems/temporal/codec.ts';
import { createCodecServer } from './codec.ts';

const codec = createCodec([{ id: '2026', key: randomBytes(32) }]);
const app = createCodecServer({ codec, token: () => 'sesame', origins: ['https://temporal.example.com'] });

const plain = defaultPayloadConverter.toPayload({ patient: 4711 });
const inBase64 = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
const sealed = async (using = codec) => inBase64((await using.encode([plain]))[0] as Payload);
const textOf = ({ data }: { data: string }) => Buffer.from(data, 'base64').toString();

/** As the Temporal UI asks. */
const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Namespace': 'default',
      Authorization: 'Bearer sesame',
      Origin: 'https://temporal.example.com',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

test('payloads are decrypted for whoever has the token', async () => {
  const response = await ask('/decode', { payloads: [await sealed(), inBase64(plain)] });
  expect(response.status).toBe(200);
  expect(response.headers.get('access-control-allow-origin')).toBe('https://temporal.example.com');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.json()).toEqual({ payloads: [inBase64(plain), inBase64(plain)] });
});

test('what somebody types into the Temporal UI is encrypted', async () => {
  const { payloads } = (await (await ask('/encode', { payloads: [inBase64(plain)] })).json()) as {
    payloads: [{ data: string }];
  };
  expect(textOf(payloads[0])).not.toContain('4711');
  expect(await (await ask('/decode', { payloads })).json()).toEqual({ payloads: [inBase64(plain)] });
});

test('one that cannot be read is shown with the reason, beside those that can', async () => {
  const other = createCodec([{ id: '2025', key: randomBytes(32) }]);
  const response = await ask('/decode', { payloads: [await sealed(other), await sealed()] });
  const { payloads } = (await response.json()) as { payloads: [{ data: string }, { data: string }] };
  expect(textOf(payloads[0])).toContain('the key \\"2025\\"');
  expect(payloads[1]).toEqual(inBase64(plain));
});

test.each(['', 'Bearer', 'Bearer sesam', 'Bearer sesame2', 'Basic sesame', 'sesame'])(
  'nobody else is told anything: %j',
  async (Authorization) => {
    const response = await ask('/decode', { payloads: [await sealed()] }, { Authorization });
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain('4711');
  },
);

test('a browser may ask from the pages that are allowed, and from no other', async () => {
  const preflight = (origin: string) =>
    app.request('/decode', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    });
  const allowed = await preflight('https://temporal.example.com');
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-headers')).toBe('Authorization,Content-Type,X-Namespace');
  expect((await preflight('https://elsewhere.example.com')).headers.get('access-control-allow-origin')).toBe(
    null,
  );
});

test.each(['', 'no', '{}', '[]', '{"payloads": 1}', '{"payloads": [{"data": "no base64!"}]}'])(
  'a malformed request is refused: %s',
  async (body) => {
    expect((await ask('/decode', body)).status).toBe(400);
  },
);

test('a request that is too large is refused', async () => {
  const headers = { 'Content-Length': String(33 * 1024 * 1024) };
  expect((await ask('/decode', '{}', headers)).status).toBe(413);
});
