import { identityToRecipient } from 'age-encryption';
import type { BackupConfig } from '../config/backup-of.ts';
import { milliseconds } from '../config/duration.ts';
import { backupPrefix, isOverdue, newestGood } from '../model/backup.ts';
import { recoveryPoints } from '../systems/backups/catalogue.ts';
import { missingInBucket } from '../systems/backups/provision.ts';
import { VaultError } from '../systems/backups/vault.ts';
import { recipientsOf, recoveryOf, vaultOptions, writersVault } from '../worker/vaults.ts';
import { failed, ok, warning, type Check, type Finding } from './check.ts';

/** Whether there is a backup that a cluster could be rebuilt from, and who could open it. */
export const backups: Check = {
  name: 'backups',
  async *look({ config: { backup } }) {
    if (!backup) return;
    yield await bucket(backup);
    yield await writer(backup);
    const recovery = here(() => recoveryOf(backup));
    const identities = recovery && here(recovery.identities);
    yield await identity(backup, identities);
    yield recovery ? await newest(backup, recovery) : lookElsewhere;
  },
};

const lookElsewhere = warning(
  'newest backup',
  "Was not looked at: the reader's key is not here.",
  'Run gitops doctor where the queue recovery is served.',
);

async function bucket(backup: BackupConfig): Promise<Finding> {
  const name = 'bucket of the backups';
  try {
    const retention = { days: backup.keepDays, lock: backup.lock };
    const missing = await missingInBucket(vaultOptions(backup), backup.cluster, retention);
    return missing.length === 0
      ? ok(name, `${backup.bucket} locks what is put there, and removes it after ${backup.keepDays} days.`)
      : failed(name, `${backup.bucket} lacks ${missing.join(' and ')}.`, 'Run: gitops setup');
  } catch (error) {
    if (!(error instanceof VaultError && error.lasting)) throw error;
    return warning(name, error.fact, 'Run: gitops setup, with the rights to configure it.');
  }
}

/** Its machine may be lost to somebody: what it cannot read, it cannot leak. */
async function writer(backup: BackupConfig): Promise<Finding> {
  const name = 'writer of the backups';
  const vault = here(() => writersVault(backup));
  if (!vault) return ok(name, 'Its key is not here.');
  try {
    await vault.list(backupPrefix(backup.cluster));
  } catch (error) {
    if (error instanceof VaultError && error.lasting) return ok(name, 'It may not read what is there.');
    throw error;
  }
  return warning(
    name,
    'It may read what is there, and needs only to put it.',
    `Give backup.accessKeyId the right to put objects into ${backup.bucket}, and no other.`,
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

async function newest(backup: BackupConfig, { vault }: ReturnType<typeof recoveryOf>): Promise<Finding> {
  const name = 'newest backup';
  const points = await recoveryPoints(vault, backup.cluster);
  const good = newestGood(points);
  const remedy = 'Follow docs/runbooks/backup-failed.md.';
  if (points.length === 0) return warning(name, 'There is none yet.', 'Run: gitops backup --wait');
  if (!good) return failed(name, `Of ${points.length} none is good.`, remedy);
  const detail = `${good.key} is good, of ${good.createdAt}.`;
  if (!isOverdue(good, milliseconds(backup.oldestAllowed), Date.now())) return ok(name, detail);
  return failed(name, `${detail} Older than ${backup.oldestAllowed} is not allowed.`, remedy);
}

/** Undefined where a secret is not to be had: doctor runs on machines that should not have all of them. */
function here<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
