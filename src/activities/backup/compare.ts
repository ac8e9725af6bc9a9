import { createHash } from 'node:crypto';
import { backupOf } from '../../config/backup-settings.ts';
import type { Config } from '../../config/schema.ts';
import { backupKinds, type BackupDifference, type BackupKind } from '../../model/recovery/backup.ts';
import type { RecoveryActivities } from '../contract.ts';
import { refused, withRecovery } from '../failures.ts';
import { wrongIndex } from './judge.ts';
import { Damaged, existingIndex, withBackup, type Recovery } from './open.ts';

/** @param scratch folder for encrypted files on their way */
export function createCompareBackups(
  systems: { config: Config; recovery: Recovery },
  scratch: string,
): Pick<RecoveryActivities, 'compareBackups'> {
  const { config } = systems;

  return {
    /** Reads only. */
    async compareBackups({ cluster, from, to }) {
      return withRecovery(async () => {
        backupOf(config, cluster);
        return difference(await objectsOf(from, cluster), await objectsOf(to, cluster));
      });
    },
  };

  /** Kind and name of all objects in a backup, with a hash of each. */
  async function objectsOf(key: string, cluster: string): Promise<Map<string, string>> {
    const { recovery } = systems;
    const index = await existingIndex(recovery.store, key);
    const wrong = wrongIndex(index, key, cluster);
    if (wrong !== undefined) throw incomparable(key, wrong);
    const found = new Map<string, string>();
    try {
      await withBackup(recovery, scratch, index, async (objects) => {
        for await (const { object, line } of objects()) {
          const { kind, metadata } = object;
          const { name, namespace } = metadata;
          const id = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
          found.set(id, createHash('sha256').update(line).digest('base64'));
        }
      });
    } catch (error) {
      throw error instanceof Damaged ? incomparable(key, error.message) : error;
    }
    return found;
  }
}

const incomparable = (key: string, why: string) => refused(`${key} cannot be compared. ${why}`);

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
