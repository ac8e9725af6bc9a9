import { identityToRecipient } from 'age-encryption';
import type { BackupConfig } from '../config/backup-settings.ts';
import { milliseconds } from '../config/duration.ts';
import { backupPrefix, isOverdue, newestGood } from '../model/recovery/backup.ts';
import { recoveryPoints } from '../systems/backups/catalogue.ts';
import { BackupStoreError } from '../systems/backups/index.ts';
import { missingInStore, recipientsOf, recoveryOf, writersStore } from '../wiring/backup-stores.ts';
import { failed, ifAvailable, ok, readerElsewhere, warning, type Check, type Finding } from './check.ts';

/** Whether there is a backup that a cluster could be rebuilt from, and who could open it. */
export const backups: Check = {
  name: 'backups',
  async *look({ config: { backup } }) {
    if (!backup) return;
    yield await store(backup);
    yield await writer(backup);
    const recovery = ifAvailable(() => recoveryOf(backup));
    const identities = recovery && ifAvailable(recovery.identities);
    yield await identity(backup, identities);
    yield recovery ? await newest(backup, recovery) : readerElsewhere('newest backup');
  },
};

async function store(backup: BackupConfig): Promise<Finding> {
  const name = 'store of the backups';
  const where = nameOf(backup);
  try {
    const missing = await missingInStore(backup);
    if (missing.length > 0) {
      return failed(name, `${where} lacks ${missing.join(' and ')}.`, 'Run: gitops setup');
    }
    return backup.bucket === undefined
      ? ok(name, `${where} locks what is put there. What removes old ones is not seen from here.`)
      : ok(name, `${where} locks what is put there, and removes it after ${backup.keepDays} days.`);
  } catch (error) {
    if (!(error instanceof BackupStoreError && error.lasting)) throw error;
    return warning(name, error.fact, 'Run: gitops setup, with the rights to configure it.');
  }
}

const nameOf = ({ bucket, container = '' }: BackupConfig): string => bucket ?? container;

/** Its machine may be lost to somebody: what it cannot read, it cannot leak. */
async function writer(backup: BackupConfig): Promise<Finding> {
  const name = 'writer of the backups';
  const store = ifAvailable(() => writersStore(backup));
  if (!store) return ok(name, 'Its key is not here.');
  try {
    await store.list(backupPrefix(backup.cluster));
  } catch (error) {
    if (error instanceof BackupStoreError && error.lasting) return ok(name, 'It may not read what is there.');
    throw error;
  }
  return warning(
    name,
    'It may read what is there, and needs only to put it.',
    `Give the writer (${backup.bucket === undefined ? 'backup.credential' : 'backup.accessKeyId'}) the right to put objects into ${nameOf(backup)}, and no other.`,
  );
}

async function identity(backup: BackupConfig, identities: string[] | undefined): Promise<Finding> {
  const name = 'identity that opens backups';
  if (!identities) return ok(name, 'It is not here. It belongs where the queue recovery is served.');
  const recipients = await Promise.all(identities.map(identityToRecipient));
  return recipients.some((recipient) => recipientsOf(backup).includes(recipient))
    ? ok(name, 'It is one of the recipients, so it opens what is written from now on.')
    : failed(
        name,
        'It belongs to none of backup.recipients: nobody here could open what is written.',
        'Correct backup.recipients, or backup.recovery.identity.',
      );
}

async function newest(backup: BackupConfig, { store }: ReturnType<typeof recoveryOf>): Promise<Finding> {
  const name = 'newest backup';
  const points = await recoveryPoints(store, backup.cluster);
  const good = newestGood(points);
  const remedy = 'Follow docs/runbooks/backup-failed.md.';
  if (points.length === 0) return warning(name, 'There is none yet.', 'Run: gitops backup --wait');
  if (!good) return failed(name, `Of ${points.length} none is good.`, remedy);
  const detail = `${good.key} is good, of ${good.createdAt}.`;
  if (!isOverdue(good, milliseconds(backup.oldestAllowed), Date.now())) return ok(name, detail);
  return failed(name, `${detail} Older than ${backup.oldestAllowed} is not allowed.`, remedy);
}
