import proto from '@temporalio/proto';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { SystemError } from '../system-error.ts';

/** What payloads are encrypted with. Its ID stands beside each of them, in plain. */
export interface PayloadKey {
  id: string;
  /** 32 bytes. */
  key: Uint8Array;
}

/** A payload that cannot be decrypted here. The message names the ID of its key. */
export class UnreadablePayload extends SystemError {}

/** A key of its ID is here, but does not open it: no configuration mends that. */
class DamagedPayload extends UnreadablePayload {}

// As Temporal's own samples of all SDKs write it, so that their tools can read it too: the whole payload, as protobuf,
// behind a nonce of 12 bytes and before a tag of 16. Random nonces are good for 2^32 payloads a key.
const algorithm = 'aes-256-gcm';
const encoding = 'binary/encrypted';
const nonceBytes = 12;
const tagBytes = 16;

const { Payload: wire } = proto.temporal.api.common.v1;
const text = new TextEncoder();
const textOf = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? undefined);

/**
 * Encrypts payloads with the first key and decrypts them with whichever it was. What is not encrypted stays readable, so
 * that encryption can be switched on while work is under way. Without keys nothing is encrypted.
 */
export function createCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [first] = keys;
  return {
    encode: async (payloads) => (first ? payloads.map((payload) => encrypt(payload, first)) : payloads),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

/**
 * The same for workers. What lacks its key stops a workflow's task here, whoever sent it, until a worker has the key: so
 * nothing is lost while keys are changed. What does not open was perhaps made up by anybody who may send a signal, and
 * would stop the workflow for good: its code gets it as an unknown encoding, and decides what it can do without.
 */
export function createWorkerCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const codec = createCodec(keys);
  return {
    encode: (payloads, context) => codec.encode(payloads, context),
    decode: async (payloads, context) =>
      payloads.map((payload) => {
        try {
          return decrypt(payload, keys);
        } catch (error) {
          if (context?.type !== 'workflow' || !(error instanceof DamagedPayload)) throw error;
          // Converters tell the encoding that they do not know, and so the reason.
          return { ...payload, metadata: { ...payload.metadata, encoding: text.encode(error.message) } };
        }
      }),
  };
}

function encrypt(payload: Payload, { id, key }: PayloadKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  const sealed = [cipher.update(wire.encode(payload).finish()), cipher.final(), cipher.getAuthTag()];
  return {
    metadata: { encoding: text.encode(encoding), 'encryption-key-id': text.encode(id) },
    data: Buffer.concat([nonce, ...sealed]),
  };
}

/** The ID of the key that a payload is encrypted with; undefined when it is not. */
export const keyIdOf = ({ metadata }: Payload): string | undefined =>
  textOf(metadata?.['encoding']) === encoding ? textOf(metadata?.['encryption-key-id']) : undefined;

/** @throws UnreadablePayload */
function decrypt(payload: Payload, keys: readonly PayloadKey[]): Payload {
  const id = keyIdOf(payload);
  if (id === undefined) return payload;
  const known = keys.find((one) => one.id === id);
  if (!known) {
    throw new UnreadablePayload(
      `It is encrypted with the key ${JSON.stringify(id)}, which is not here (${keys.map((one) => one.id).join(', ') || 'none is'}).`,
      { advice: 'Add that key to temporal.codec.keys in gitops.yaml, then start this again.' },
    );
  }
  try {
    const sealed = payload.data ?? new Uint8Array();
    const decipher = createDecipheriv(algorithm, known.key, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const opened = [decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()];
    return wire.decode(Buffer.concat(opened));
  } catch (error) {
    throw new DamagedPayload(`It does not open with the key ${JSON.stringify(id)}.`, {
      advice: 'Either that was another key when it was written, or somebody changed it.',
      cause: error,
    });
  }
}
