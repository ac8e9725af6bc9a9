import { createHash, timingSafeEqual } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { z } from 'zod';
import { UnreadablePayload } from '../systems/temporal/codec.ts';

/** Temporal takes 4 MB in one piece; a page of a history shows several. */
const largestBody = 32 * 1024 * 1024;

const base64 = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));
const requestSchema = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), base64).exactOptional(), data: base64.exactOptional() }),
  ),
});

/**
 * A codec server as the Temporal UI and the `temporal` command speak to one: `POST /decode` and `/encode` of
 * `{payloads: [{metadata, data}]}`, all bytes in base64. It lies open to whoever has the token.
 *
 * @see https://docs.temporal.io/production-deployment/data-encryption
 */
export function createCodecServer({
  codec,
  token,
  origins,
}: {
  codec: PayloadCodec;
  token: () => string;
  /** Of pages whose scripts may ask. */
  origins: readonly string[];
}): Hono {
  const app = new Hono();
  app.use(
    cors({
      origin: [...origins],
      allowMethods: ['POST'],
      allowHeaders: ['Authorization', 'Content-Type', 'X-Namespace'],
      // Of a proxy in front of this, which knows people by a cookie.
      credentials: true,
    }),
  );
  app.use(async (c, next) => {
    if (!isSame(c.req.header('authorization') ?? '', `Bearer ${token()}`)) {
      return c.json({ error: 'Send the token of temporal.codec.server: Authorization: Bearer …' }, 401, {
        'WWW-Authenticate': 'Bearer',
      });
    }
    c.header('Cache-Control', 'no-store');
    return next();
  });
  app.use(
    bodyLimit({
      maxSize: largestBody,
      onError: (c) => c.json({ error: `A request has at most ${largestBody} bytes.` }, 413),
    }),
  );

  const work: Record<string, (payload: Payload) => Promise<Payload>> = {
    '/decode': (payload) => decode(codec, payload),
    '/encode': async (payload) => (await codec.encode([payload]))[0] ?? payload,
  };
  for (const [path, change] of Object.entries(work)) {
    app.post(path, async (c) => {
      const request = requestSchema.safeParse(await c.req.json().catch(() => undefined));
      if (!request.success) {
        return c.json(
          { error: 'A request is {"payloads": [{"metadata": {…}, "data": …}]}, in base64.' },
          400,
        );
      }
      return c.json({ payloads: (await Promise.all(request.data.payloads.map(change))).map(inBase64) });
    });
  }
  return app;
}

/** One that cannot be read is shown with the reason, beside those that can. */
async function decode(codec: PayloadCodec, payload: Payload): Promise<Payload> {
  try {
    return (await codec.decode([payload]))[0] ?? payload;
  } catch (error) {
    if (!(error instanceof UnreadablePayload)) throw error;
    const text = new TextEncoder();
    return {
      metadata: { encoding: text.encode('json/plain') },
      data: text.encode(JSON.stringify({ unreadable: error.message })),
    };
  }
}

const inBase64 = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, encoded(value)])),
  data: encoded(data ?? new Uint8Array()),
});

const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** In a time that tells nothing of how much of it is right. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(hash(a), hash(b));
