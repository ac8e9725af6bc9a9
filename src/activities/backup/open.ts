import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cancellationSignal } from '@temporalio/activity';
import { z } from 'zod';
import { backupKinds, type BackupIndex } from '../../model/recovery/backup.ts';
import { readIndex } from '../../systems/backups/catalogue.ts';
import { Digest, unseal } from '../../systems/backups/seal.ts';
import { WrongKey, type BackupStore } from '../../systems/backups/index.ts';
import { refused } from '../failures.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';

/** The reader of the store, and the keys that open backups. */
export interface Recovery {
  store: BackupStore;
  /** Of age; read when they are needed. */
  identities: () => string[];
}

const texts = z.record(z.string(), z.string()).optional();
const storedObjectSchema = z.object({
  kind: z.enum(backupKinds),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    labels: texts,
    annotations: texts,
  }),
});

/** An object of a backup: what tells it from others, and the JSON of all of it. */
export interface Stored {
  object: z.infer<typeof storedObjectSchema>;
  line: string;
}

/** What `argocd admin import` takes, which comes first, or what it does not know. */
type Part = 'imported' | 'beside';

/** What is wrong with a stored backup, in a sentence. */
export class Damaged extends Error {}

/** @throws Refused: there is no such backup */
export async function existingIndex(store: BackupStore, key: string): Promise<BackupIndex> {
  const index = await readIndex(store, key);
  if (index) return index;
  throw refused(`There is no backup ${key}. See: gitops backups list`);
}

/**
 * Fetches a backup whole before it is opened, so that damage on the way is told from a wrong key. Its objects may be read
 * more than once; in plain they are never on a disk, and never in memory whole.
 *
 * @param scratch folder for encrypted files on their way
 * @throws Damaged, WrongKey, BackupStoreError
 */
export async function withBackup<T>(
  { store, identities }: Recovery,
  scratch: string,
  index: BackupIndex,
  work: (objects: (part?: Part) => AsyncGenerator<Stored>) => Promise<T>,
): Promise<T> {
  const { key, stored } = index;
  const opening = identities();
  const source = await store.read(key, stored.version);
  if (!source) throw new Damaged('There is an index, and no backup.');
  return withScratch(scratch, async (directory) => {
    const file = join(directory, 'backup');
    const fetched = new Digest();
    await pipeline(source, fetched.through, createWriteStream(file, { mode: 0o600 }), {
      signal: cancellationSignal(),
    });
    if (fetched.bytes.size !== stored.size) {
      throw new Damaged(`Its ${fetched.bytes.size} bytes were ${stored.size} when they were written.`);
    }
    if (fetched.bytes.sha256 !== stored.sha256) {
      throw new Damaged('Its bytes are not those that were written.');
    }
    return work((part) => objectsIn(file, opening, index, part));
  });
}

async function* objectsIn(
  file: string,
  identities: readonly string[],
  { importable, plain }: BackupIndex,
  part?: Part,
): AsyncGenerator<Stored> {
  const opened = new Digest();
  let number = 0;
  try {
    for await (const line of unseal(file, identities, opened)) {
      number += 1;
      if (part !== undefined && number <= importable !== (part === 'imported')) continue;
      yield { object: storedObjectSchema.parse(JSON.parse(line)), line };
    }
  } catch (error) {
    if (error instanceof WrongKey) throw error;
    throw new Damaged('It cannot be opened or read, although its bytes are those that were written.');
  }
  if (opened.bytes.sha256 !== plain.sha256) throw new Damaged('What is in it is not what its index says.');
}
