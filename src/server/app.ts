import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from '@temporalio/common';
import {
  deliveryIdIn,
  EventRefused,
  readEvent,
  signatureIn,
  verifySignature,
  type ForgeEvent,
} from '../systems/forge/webhook.ts';
import { createTakenWebhooks } from './taken-webhooks.ts';

const noSecret = 'Set forge.webhookSecret in gitops.yaml: without it no webhook is believed.';
/** What GitHub sends at most. */
const largestBody = 25 * 1024 * 1024;

export interface AppOptions {
  /** Undefined where none is configured: then no webhook is believed. */
  webhookSecret: () => string | undefined;
  /** Takes what a forge told. @returns what was done, for whoever reads the forge's log of its webhooks */
  take: (event: ForgeEvent) => Promise<string>;
  /** Throws when Temporal is out of reach. */
  checkTemporal: () => Promise<void>;
  /** Decrypts payloads, below `/codec`. */
  codec?: Hono;
  log: Logger;
}

/** The HTTP interface, apart from the socket it listens on. Every answer is JSON; a refusal is `{error}`. */
export function createApp({ webhookSecret, take, checkTemporal, codec, log }: AppOptions): Hono {
  const app = new Hono();
  const taken = createTakenWebhooks();
  const secret = (): string => {
    const found = webhookSecret();
    if (found === undefined) throw new EventRefused(401, noSecret);
    return found;
  };

  app.get('/healthz', (c) => c.json({ status: 'ok' }));

  app.get('/readyz', async (c) => {
    try {
      await checkTemporal();
      return c.json({ status: 'ok' });
    } catch {
      return c.json({ error: 'Temporal is out of reach.' }, 503);
    }
  });

  app.post(
    '/webhooks/forge',
    // What can be refused by its headers is refused before its body is taken in.
    async (c, next) => {
      signatureIn(c.req.raw.headers);
      secret();
      await next();
    },
    bodyLimit({
      maxSize: largestBody,
      onError: (c) => c.json({ error: `A webhook has at most ${largestBody} bytes.` }, 413),
    }),
    async (c) => {
      const { headers } = c.req.raw;
      const body = new Uint8Array(await c.req.arrayBuffer());
      verifySignature(headers, body, secret());

      const id = deliveryIdIn(headers);
      const event = readEvent(headers, body);
      if (!taken.begin(id)) return c.json({ error: `Delivery ${id} was taken already.` }, 409);
      try {
        const done = await take(event);
        log.info('webhook taken', { delivery: id, kind: event.kind, done });
        return c.json({ done }, 202);
      } catch (error) {
        // So that the forge, or a person there, may send it again.
        taken.forget(id);
        throw error;
      }
    },
  );

  if (codec) app.route('/codec', codec);

  app.notFound((c) => c.json({ error: 'There is nothing here.' }, 404));
  app.onError((error, c) => refuse(error, c, log));
  return app;
}

function refuse(error: Error, c: Context, log: Logger): Response {
  if (error instanceof EventRefused) {
    log.warn('webhook refused', { reason: error.message });
    return c.json({ error: error.message }, error.status);
  }
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
  log.error('a request failed', { path: c.req.path, error: error.message });
  return c.json({ error: 'It could not be taken now. Send it again later.' }, 503);
}
