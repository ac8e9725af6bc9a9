import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import type { PayloadKey } from '../systems/temporal/codec.ts';

const keyBytes = 32;

/**
 * The keys of `temporal.codec`, the one that encrypts first; none where there is no codec.
 *
 * @throws Error naming the reference, never the key
 */
export function payloadKeysOf({ temporal }: Pick<Config, 'temporal'>): PayloadKey[] {
  return (temporal?.codec?.keys ?? []).map(({ id, key: reference }) => {
    const key = Buffer.from(readSecret(reference), 'base64');
    if (key.length === keyBytes) return { id, key };
    throw new Error(
      `The secret ${reference} is no key: it has ${key.length} bytes in base64, and needs ${keyBytes}. Make one: openssl rand -base64 ${keyBytes}`,
    );
  });
}
