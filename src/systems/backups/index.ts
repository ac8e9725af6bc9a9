import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Bytes } from '../../model/recovery/backup.ts';
import { SystemError } from '../system-error.ts';

/** What is about to be stored, which can be read more than once: an attempt that was cut off begins again. */
export interface Body extends Bytes {
  open(): Readable;
}

export const textBody = (text: string): Body => ({
  size: Buffer.byteLength(text),
  sha256: createHash('sha256').update(text).digest('hex'),
  open: () => Readable.from([Buffer.from(text)]),
});

export const fileBody = (file: string, bytes: Bytes): Body => ({
  ...bytes,
  open: () => createReadStream(file),
});

/** The store did not do what it was asked for. */
export class BackupStoreError extends SystemError {}

/** The configured recipient or identity of age does not fit. */
export class WrongKey extends SystemError {
  override readonly lasting = true;
}

/** Turns errors in the middle of a download into BackupStoreErrors as well. */
export function explainingErrors(body: Readable, explain: (error: unknown) => BackupStoreError): Readable {
  // Unheard, an error before the first read would end the process; reading throws it again.
  body.on('error', () => undefined);
  async function* chunks() {
    try {
      yield* body;
    } catch (error) {
      throw explain(error);
    }
  }
  return Readable.from(chunks());
}

/** Until when an object is locked; undefined once that time is over. */
export const stillLocked = (until: Date | undefined): string | undefined =>
  until && until.getTime() > Date.now() ? until.toISOString() : undefined;

/** Where backups lie: as much of an object store as they need. Every method may throw BackupStoreError. */
export interface BackupStore {
  /**
   * Stores what nobody stored there before; the bytes arrive as they are or not at all. Names are to be unique, since an
   * attempt whose answer was lost finds its own object and takes it for success.
   *
   * @returns the store's own name for these very bytes, if it told
   */
  putOnce(key: string, body: Body): Promise<string | undefined>;
  /** Stores a small text in the place of what is there. */
  put(key: string, text: string): Promise<void>;
  /** @returns undefined when there is none of that key (and version) */
  read(key: string, version?: string): Promise<Readable | undefined>;
  /** All keys that begin so, in order. */
  list(prefix: string): Promise<string[]>;
  /** @returns ISO 8601; undefined when it is not locked, or less strictly than is wanted (`Retention`) */
  lockedUntil(key: string, version?: string): Promise<string | undefined>;
}

/** How a store keeps what is put there. */
export interface Retention {
  days: number;
  lock: 'compliance' | 'governance';
}
