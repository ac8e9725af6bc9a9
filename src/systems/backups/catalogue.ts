import pLimit from 'p-limit';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import {
  backupIndexSchema,
  backupKeySchema,
  backupPrefix,
  indexKey,
  noCounts,
  timeOf,
  verificationKey,
  verificationSchema,
  type BackupIndex,
  type RecoveryPoint,
  type Verification,
} from '../../model/recovery/backup.ts';
import { parseJson } from '../../model/json.ts';
import { SystemError } from '../system-error.ts';
import type { BackupStore } from './index.ts';

/** Requests to the store at a time. */
const atOnce = 16;

/** Keys of the backups of a cluster, newest first. One whose index was never written is none. */
export async function backupKeys(store: BackupStore, cluster: string): Promise<string[]> {
  const suffix = indexKey('');
  const keys = (await store.list(backupPrefix(cluster)))
    .filter((key) => key.endsWith(suffix))
    .map((key) => key.slice(0, -suffix.length))
    .filter((key) => backupKeySchema.safeParse(key).success);
  return keys.toSorted().toReversed();
}

/** The backups of a cluster, newest first. One that somebody overwrote is bad, and hides no other. */
export async function recoveryPoints(store: BackupStore, cluster: string): Promise<RecoveryPoint[]> {
  const keys = await backupKeys(store, cluster);
  const found = await pLimit(atOnce).map(keys, (key) =>
    recoveryPoint(store, key).catch((error: unknown) => badPoint(cluster, key, error)),
  );
  return found.filter((point) => point !== undefined);
}

function badPoint(cluster: string, key: string, error: unknown): RecoveryPoint {
  if (!(error instanceof Unreadable)) throw error;
  const createdAt = timeOf(key);
  return { key, cluster, createdAt, size: 0, counts: noCounts(), state: 'bad', reason: error.message };
}

/** @returns undefined when there is no such backup */
export async function recoveryPoint(store: BackupStore, key: string): Promise<RecoveryPoint | undefined> {
  const [index, verification] = await Promise.all([readIndex(store, key), readVerification(store, key)]);
  if (!index) return undefined;
  const { cluster, createdAt, stored, counts, argocd } = index;
  const lockedUntil = await store.lockedUntil(key, stored.version);
  return {
    key,
    cluster,
    createdAt,
    size: stored.size,
    counts: { ...noCounts(), ...counts },
    ...(argocd.version !== undefined && { argocdVersion: argocd.version }),
    state: verification?.state ?? 'unverified',
    ...(verification?.reason !== undefined && { reason: verification.reason }),
    ...(verification && { verifiedAt: verification.verifiedAt }),
    ...(verification?.provenAt !== undefined && { provenAt: verification.provenAt }),
    ...(lockedUntil !== undefined && { lockedUntil }),
  };
}

export const readIndex = (store: BackupStore, key: string): Promise<BackupIndex | undefined> =>
  readJson(store, indexKey(key), backupIndexSchema);

/** One that somebody overwrote counts as none; the next verification replaces it. */
export const readVerification = (store: BackupStore, key: string): Promise<Verification | undefined> =>
  ifReadable(readJson(store, verificationKey(key), verificationSchema));

export const writeVerification = (store: BackupStore, verification: Verification): Promise<void> =>
  store.put(verificationKey(verification.key), JSON.stringify(verification));

/** Of the backups before this one, the newest that is good. */
export async function lastGoodBefore(
  store: BackupStore,
  cluster: string,
  key: string,
): Promise<BackupIndex | undefined> {
  for (const earlier of await backupKeys(store, cluster)) {
    if (earlier >= key) continue;
    const verification = await readVerification(store, earlier);
    const index = verification?.state === 'good' && (await ifReadable(readIndex(store, earlier)));
    if (index) return index;
  }
  return undefined;
}

/** Something that this program did not write lies where it writes. */
class Unreadable extends SystemError {}

async function ifReadable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

async function readJson<T>(store: BackupStore, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const found = await store.read(key);
  if (!found) return undefined;
  const parsed = schema.safeParse(parseJson(await text(found)));
  if (parsed.success) return parsed.data;
  throw new Unreadable(`${key} in the store of the backups is not what this program writes there.`, {
    advice: 'Look at its earlier versions, and at who may write there.',
  });
}
