import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cancellationSignal } from '@temporalio/activity';
import { z } from 'zod';
import { backupOf } from '../config/backup-of.ts';
import type { Config } from '../config/schema.ts';
import {
  backupKinds,
  noCounts,
  tooSmall,
  type BackupDifference,
  type BackupIndex,
  type BackupKind,
  type Counts,
  type Verification,
} from '../model/backup.ts';
import {
  backupKeys,
  lastGoodBefore,
  readIndex,
  readVerification,
  recoveryPoint,
  writeVerification,
} from '../systems/backups/catalogue.ts';
import { Digest, unseal, WrongKey } from '../systems/backups/seal.ts';
import type { Vault } from '../systems/backups/vault.ts';

import { refused } from './failures.ts';
import type { RecoveryActivities } from './types.ts';
import { withVault } from './vault-failures.ts';
import { withScratch } from './workplace.ts';

/** The reader of the store, and the keys that open backups. */
export interface Recovery {
  vault: Vault;
  /** Of age; read when they are needed. */
  identities: () => string[];
}

/** @param scratch folder for encrypted files on their way */
export function createRecoveryActivities(
  systems: { config: Config; recovery: Recovery },
  scratch: string,
): RecoveryActivities {
  const { config } = systems;

  return {
    /** Safe to repeat, side by side and late: the youngest verification is the one that is shown. */
    async verifyBackup({ cluster, key: given, accept = false }) {
      const { smallestShare } = backupOf(config, cluster);
      const { vault } = systems.recovery;
      return withVault(async () => {
        const key = given ?? (await backupKeys(vault, cluster))[0];
        if (key === undefined) throw refused(`There is no backup of ${cluster} yet. Make one: gitops backup`);
        const index = await existing(key);
        const earlier = await readVerification(vault, key);
        const accepted = accept || earlier?.accepted === true;
        const wrong = wrongIndex(index, key, cluster) ?? (await damage(index));
        const doubt = wrong ?? (await doubtOf(index, cluster, smallestShare));
        const state = wrong !== undefined ? 'bad' : doubt === undefined || accepted ? 'good' : 'suspect';
        const verification: Verification = {
          key,
          state,
          ...(doubt !== undefined && { reason: doubt }),
          verifiedAt: new Date().toISOString(),
          ...(accepted && { accepted }),
          ...(earlier?.provenAt !== undefined && { provenAt: earlier.provenAt }),
        };
        await writeVerification(vault, verification);
        return (await recoveryPoint(vault, key)) ?? gone(key);
      });
    },

    /** Reads only. */
    async compareBackups({ cluster, from, to }) {
      backupOf(config, cluster);
      return withVault(async () => difference(await objectsOf(from, cluster), await objectsOf(to, cluster)));
    },
  };

  async function existing(key: string): Promise<BackupIndex> {
    return (await readIndex(systems.recovery.vault, key)) ?? gone(key);
  }

  /** What makes a whole backup one that nobody should rely on. */
  async function doubtOf(
    { key, stored, counts }: BackupIndex,
    cluster: string,
    smallestShare: number,
  ): Promise<string | undefined> {
    const { vault } = systems.recovery;
    if ((await vault.lockedUntil(key, stored.version)) === undefined) {
      return 'The bucket does not lock it: whoever may delete objects can remove it. Run: gitops setup';
    }
    const last = await lastGoodBefore(vault, cluster, key);
    return tooSmall(complete(counts), last && complete(last.counts), smallestShare);
  }

  /** @returns what is wrong with the stored bytes, as against their index */
  async function damage(index: BackupIndex): Promise<string | undefined> {
    const counts = noCounts();
    const found = await readThrough(index, ({ kind }) => (counts[kind] += 1));
    if (found !== undefined) return found;
    const kind = backupKinds.find((one) => counts[one] !== complete(index.counts)[one]);
    return kind && `It holds ${counts[kind]} ${kind}s, its index says ${complete(index.counts)[kind]}.`;
  }

  /** Kind and name of all objects in a backup, with a hash of each. */
  async function objectsOf(key: string, cluster: string): Promise<Map<string, string>> {
    const index = await existing(key);
    const objects = new Map<string, string>();
    const wrong =
      wrongIndex(index, key, cluster) ??
      (await readThrough(index, ({ kind, metadata: { name, namespace } }, line) => {
        const id = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
        objects.set(id, createHash('sha256').update(line).digest('base64'));
      }));
    if (wrong !== undefined) throw refused(`${key} cannot be compared. ${wrong}`);
    return objects;
  }

  /**
   * Fetches a backup whole before it is opened, so that damage on the way is told from a wrong key.
   *
   * @returns what is wrong with it
   */
  async function readThrough(
    { key, stored, plain }: BackupIndex,
    see: (object: StoredObject, line: string) => void,
  ): Promise<string | undefined> {
    const { vault, identities } = systems.recovery;
    const opening = identities();
    const source = await vault.read(key, stored.version);
    if (!source) return 'There is an index, and no backup.';
    return withScratch(scratch, async (directory) => {
      const file = join(directory, 'backup');
      const [fetched, opened] = [new Digest(), new Digest()];
      await pipeline(source, fetched.through, createWriteStream(file, { mode: 0o600 }), {
        signal: cancellationSignal(),
      });
      if (fetched.bytes.size !== stored.size) {
        return `Its ${fetched.bytes.size} bytes were ${stored.size} when they were written.`;
      }
      if (fetched.bytes.sha256 !== stored.sha256) return 'Its bytes are not those that were written.';
      try {
        for await (const line of unseal(file, opening, opened)) {
          see(storedObjectSchema.parse(JSON.parse(line)), line);
        }
      } catch (error) {
        if (error instanceof WrongKey) throw error;
        return 'It cannot be opened or read, although its bytes are those that were written.';
      }
      return opened.bytes.sha256 === plain.sha256 ? undefined : 'What is in it is not what its index says.';
    });
  }
}

const storedObjectSchema = z.object({
  kind: z.enum(backupKinds),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});
type StoredObject = z.infer<typeof storedObjectSchema>;

const complete = (counts: BackupIndex['counts']): Counts => ({ ...noCounts(), ...counts });

function gone(key: string): never {
  throw refused(`There is no backup ${key}. See: gitops backups list`);
}

/** An index that was copied here from elsewhere. */
function wrongIndex(index: BackupIndex, key: string, cluster: string): string | undefined {
  if (index.key !== key) return `Its index is that of ${index.key}.`;
  return index.cluster === cluster ? undefined : `It is a backup of ${index.cluster}.`;
}

/** Results go through Temporal, whose histories are small. */
const mostNames = 200;

function difference(from: Map<string, string>, to: Map<string, string>): BackupDifference {
  const names = [...new Set([...from.keys(), ...to.keys()])].toSorted();
  const result: BackupDifference = {};
  for (const kind of backupKinds) {
    const own = names.filter((name) => name.startsWith(`${kind} `));
    const only = (holds: (name: string) => boolean) =>
      own.filter((name) => holds(name)).map((name) => name.slice(kind.length + 1));
    const parts = {
      added: only((name) => !from.has(name)),
      removed: only((name) => !to.has(name)),
      changed: only((name) => from.has(name) && to.has(name) && from.get(name) !== to.get(name)),
    };
    const all = Object.values(parts).flat().length;
    if (all > 0) result[kind] = shortened(parts, all);
  }
  return result;
}

function shortened(
  { added, removed, changed }: Omit<NonNullable<BackupDifference[BackupKind]>, 'more'>,
  all: number,
): NonNullable<BackupDifference[BackupKind]> {
  const short = {
    added: added.slice(0, mostNames),
    removed: removed.slice(0, mostNames),
    changed: changed.slice(0, mostNames),
  };
  const more = all - Object.values(short).flat().length;
  return { ...short, ...(more > 0 && { more }) };
}
