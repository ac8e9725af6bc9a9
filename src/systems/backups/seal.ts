import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline as pipe, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import type { Bytes } from '../../model/recovery/backup.ts';
import { WrongKey } from './index.ts';

/** Higher ones save a quarter of the bytes of ten thousand Applications, and take memory for it. */
const level = 6;

/**
 * Compresses and encrypts lines on their way into a file: in plain they are never on a disk, and never in memory whole.
 *
 * @param recipients of age
 */
export async function seal(
  lines: AsyncIterable<string>,
  recipients: readonly string[],
  file: string,
  signal: AbortSignal,
): Promise<{ plain: Bytes; stored: Bytes }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  const [plain, stored] = [new Digest(), new Digest()];
  const compressed = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  const encrypted = await encrypter.encrypt(webStream(compressed));
  await Promise.all([
    pipeline(inChunks(lines), plain.through, compressed, { signal }),
    pipeline(
      Readable.fromWeb(encrypted as ReadableStream<Uint8Array>),
      stored.through,
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
      { signal },
    ),
  ]);
  return { plain: plain.bytes, stored: stored.bytes };
}

/**
 * The lines of a sealed file.
 *
 * @throws WrongKey: the identities open none of it; other errors: it is damaged
 */
export async function* unseal(
  file: string,
  identities: readonly string[],
  read: Digest,
): AsyncGenerator<string> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  const encrypted = createReadStream(file);
  const compressed = await decrypter.decrypt(webStream(encrypted)).catch((error: unknown) => {
    encrypted.destroy();
    const wrongKey = error instanceof Error && error.message.startsWith('no identity matched');
    throw wrongKey ? wrongIdentity() : error;
  });
  // In this form, with a callback, an error of either stream reaches whoever reads the last one.
  const plain = pipe(
    Readable.fromWeb(compressed as ReadableStream<Uint8Array>),
    createZstdDecompress(),
    () => undefined,
  );
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of read.through(plain)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new WrongKey(`${recipient.slice(0, 12)}… is no age recipient: its checksum is wrong.`, {
      advice: 'Correct backup.recipients in gitops.yaml.',
    });
  }
}

const wrongIdentity = (): WrongKey =>
  new WrongKey('The backup was encrypted to other recipients than the one of backup.recovery.identity.', {
    advice: 'Give the workers of the queue recovery the identity of one of its recipients.',
  });

/** Counts and hashes what goes through. */
export class Digest {
  readonly #hash = createHash('sha256');
  #size = 0;

  readonly through = (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> => this.#pass(source);

  async *#pass(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#hash.update(chunk);
      this.#size += chunk.byteLength;
      yield chunk;
    }
  }

  get bytes(): Bytes {
    return { sha256: this.#hash.copy().digest('hex'), size: this.#size };
  }
}

const webStream = (stream: Readable) => Readable.toWeb(stream) as globalThis.ReadableStream<Uint8Array>;

/** A call for each line would be slow. */
const chunkSize = 64 * 1024;

async function* inChunks(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let chunk = '';
  for await (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < chunkSize) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  yield Buffer.from(chunk);
}
