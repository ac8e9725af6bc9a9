import { backupOf } from '../../config/backup-settings.ts';
import type { Config } from '../../config/schema.ts';
import {
  backupKinds,
  noCounts,
  tooSmall,
  type BackupIndex,
  type Counts,
  type Verification,
} from '../../model/recovery/backup.ts';
import { lastGoodBefore, readVerification } from '../../systems/backups/catalogue.ts';
import type { BackupStore } from '../../systems/backups/index.ts';
import { Damaged, withBackup, type Recovery, type Stored } from './open.ts';

/**
 * Reads a backup back and opens it.
 *
 * @param given.accept whether a person wants it counted as good whatever makes it suspect
 * @param given.see is shown each of its objects, before it is clear whether it is good
 */
export async function judgeBackup(
  { config, recovery }: { config: Config; recovery: Recovery },
  scratch: string,
  index: BackupIndex,
  given: { cluster: string; key: string; accept?: boolean; see?: (stored: Stored) => void },
): Promise<Verification> {
  const { cluster, key, accept = false, see } = given;
  const { smallestShare } = backupOf(config, cluster);
  const { store } = recovery;
  const earlier = await readVerification(store, key);
  const accepted = accept || earlier?.accepted === true;
  const wrong = wrongIndex(index, key, cluster) ?? (await damage(recovery, scratch, index, see));
  const doubt = wrong ?? (await doubtOf(store, index, cluster, smallestShare));
  return {
    key,
    state: wrong !== undefined ? 'bad' : doubt === undefined || accepted ? 'good' : 'suspect',
    ...(doubt !== undefined && { reason: doubt }),
    verifiedAt: new Date().toISOString(),
    ...(accepted && { accepted }),
    ...(earlier?.provenAt !== undefined && { provenAt: earlier.provenAt }),
  };
}

/** An index that was copied here from elsewhere. */
export function wrongIndex(index: BackupIndex, key: string, cluster: string): string | undefined {
  if (index.key !== key) return `Its index is that of ${index.key}.`;
  return index.cluster === cluster ? undefined : `It is a backup of ${index.cluster}.`;
}

/** @returns what is wrong with the stored bytes, as against their index */
async function damage(
  recovery: Recovery,
  scratch: string,
  index: BackupIndex,
  see?: (stored: Stored) => void,
): Promise<string | undefined> {
  const counts = noCounts();
  try {
    await withBackup(recovery, scratch, index, async (objects) => {
      for await (const stored of objects()) {
        counts[stored.object.kind] += 1;
        see?.(stored);
      }
    });
  } catch (error) {
    if (error instanceof Damaged) return error.message;
    throw error;
  }
  const expected = complete(index.counts);
  const kind = backupKinds.find((one) => counts[one] !== expected[one]);
  return kind && `It holds ${counts[kind]} ${kind}s, its index says ${expected[kind]}.`;
}

/** What makes a whole backup one that nobody should rely on. */
async function doubtOf(
  store: BackupStore,
  { key, stored, counts }: BackupIndex,
  cluster: string,
  smallestShare: number,
): Promise<string | undefined> {
  if ((await store.lockedUntil(key, stored.version)) === undefined) {
    return 'The bucket does not lock it as backup.lock says: somebody could remove it early. Run: gitops setup';
  }
  const last = await lastGoodBefore(store, cluster, key);
  return tooSmall(complete(counts), last && complete(last.counts), smallestShare);
}

const complete = (counts: BackupIndex['counts']): Counts => ({ ...noCounts(), ...counts });
