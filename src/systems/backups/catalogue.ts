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
import { SystemError } from '../system-error.ts';
import type { Vault } from './index.ts';

/** So many answers of the store are waited for at a time. */
const atOnce = 16;

/** Keys of the backups of a cluster, newest first. One whose index was never written is none. */
export async function backupKeys(vault: Vault, cluster: string): Promise<string[]> {
  const suffix = indexKey('');
  const keys = (await vault.list(backupPrefix(cluster)))
    .filter((key) => key.endsWith(suffix))
    .map((key) => key.slice(0, -suffix.length))
    .filter((key) => backupKeySchema.safeParse(key).success);
  return keys.toSorted().toReversed();
}

/** The backups of a cluster, newest first. One that somebody spoilt is bad, and hides no other. */
export async function recoveryPoints(vault: Vault, cluster: string): Promise<RecoveryPoint[]> {
  const keys = await backupKeys(vault, cluster);
  const found = await pLimit(atOnce).map(keys, (key) =>
    recoveryPoint(vault, key).catch((error: unknown) => spoiltPoint(cluster, key, error)),
  );
  return found.filter((point) => point !== undefined);
}

function spoiltPoint(cluster: string, key: string, error: unknown): RecoveryPoint {
  if (!(error instanceof Spoilt)) throw error;
  const createdAt = timeOf(key);
  return { key, cluster, createdAt, size: 0, counts: noCounts(), state: 'bad', reason: error.message };
}

/** @returns undefined when there is no such backup */
export async function recoveryPoint(vault: Vault, key: string): Promise<RecoveryPoint | undefined> {
  const [index, verification] = await Promise.all([readIndex(vault, key), readVerification(vault, key)]);
  if (!index) return undefined;
  const { cluster, createdAt, stored, counts, argocd } = index;
  const lockedUntil = await vault.lockedUntil(key, stored.version);
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

export const readIndex = (vault: Vault, key: string): Promise<BackupIndex | undefined> =>
  readJson(vault, indexKey(key), backupIndexSchema);

/** One that somebody spoilt is none: the next one takes its place. */
export const readVerification = (vault: Vault, key: string): Promise<Verification | undefined> =>
  unlessSpoilt(readJson(vault, verificationKey(key), verificationSchema));

export const writeVerification = (vault: Vault, verification: Verification): Promise<void> =>
  vault.put(verificationKey(verification.key), JSON.stringify(verification));

/** Of the backups before this one, the newest that is good. */
export async function lastGoodBefore(
  vault: Vault,
  cluster: string,
  key: string,
): Promise<BackupIndex | undefined> {
  for (const earlier of await backupKeys(vault, cluster)) {
    if (earlier >= key) continue;
    const verification = await readVerification(vault, earlier);
    const index = verification?.state === 'good' && (await unlessSpoilt(readIndex(vault, earlier)));
    if (index) return index;
  }
  return undefined;
}

/** Something else lies where this program writes. */
class Spoilt extends SystemError {}

async function unlessSpoilt<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Spoilt) return undefined;
    throw error;
  }
}

async function readJson<T>(vault: Vault, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const found = await vault.read(key);
  if (!found) return undefined;
  const parsed = schema.safeParse(parse(await text(found)));
  if (parsed.success) return parsed.data;
  throw new Spoilt(`${key} in the store of the backups is not what this program writes there.`, {
    advice: 'Look at its earlier versions, and at who may write there.',
  });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
