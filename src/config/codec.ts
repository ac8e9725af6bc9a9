import { z } from 'zod';
import { secretReference, url } from './fields.ts';

const key = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'an ID has up to 64 letters, digits, dots or dashes')
    .describe('Stands beside each payload in plain: a date, say. Never given to another key.'),
  key: secretReference.describe('32 random bytes in base64, as openssl rand -base64 32 writes them.'),
});

/** What a browser calls the page that asks. */
const origin = url.refine(
  (text) => URL.parse(text)?.origin === text,
  'an origin is a scheme, a host and perhaps a port: https://temporal.example.com',
);

export const codec = z
  .strictObject({
    keys: z
      .array(key)
      .min(1)
      .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'an ID stands there twice')
      .describe('The first encrypts, each decrypts: AES-256-GCM.'),
    server: z
      .strictObject({
        token: secretReference.describe('Whoever has it reads every payload.'),
        origins: z.array(origin).default([]).describe('Of the Temporal UI, whose page asks in a browser.'),
      })
      .optional()
      .describe('Lets gitops server decrypt for the Temporal UI and the temporal command, below /codec.'),
  })
  .describe("Encrypts what is in Temporal's histories.");
