import type { Command } from 'commander';
import { checked, GitopsError } from '../client/errors.ts';
import { milliseconds } from '../config/duration.ts';
import { backupKeySchema, isOverdue, newestGood } from '../model/recovery/backup.ts';
import { BackupStoreError } from '../systems/backups/index.ts';
import { tellPoint } from './backup.ts';
import { backupConfigOf, withBackups } from './backups-client.ts';
import { columns, note, print, withCommonOptions, type CommonOptions } from './common.ts';
import { drawDifference, drawPoints } from './draw-backups.ts';

interface VerifyOptions extends CommonOptions {
  accept?: true;
}

export function register(program: Command): void {
  const backups = program
    .command('backups')
    .description('What is stored of Argo CD, and whether a cluster could be rebuilt from it.');
  withCommonOptions(
    backups
      .command('list')
      .description(
        'Lists the backups, newest first, straight from their store. It needs the key of backup.recovery, and no worker.',
      ),
  ).action(list);
  withCommonOptions(
    backups
      .command('verify')
      .description('Reads a backup back, opens it, and compares it with its index.')
      .argument('[key]', 'as the list shows it; left out: the newest')
      .option('--accept', 'count it as good although it is much smaller than the last one, or not locked'),
  ).action(verify);
  withCommonOptions(
    backups
      .command('diff')
      .description(
        'Tells which Applications, projects, repositories and settings differ between two backups.',
      )
      .argument('<from>', 'the earlier one')
      .argument('<to>', 'the later one'),
  ).action(diff);
}

async function list(options: CommonOptions): Promise<void> {
  const { backup } = backupConfigOf(options);
  const { recoveryOf } = await import('../wiring/backup-stores.ts');
  const { recoveryPoints } = await import('../systems/backups/catalogue.ts');
  const points = await recoveryPoints(recoveryOf(backup).store, backup.cluster).catch((error: unknown) => {
    if (!(error instanceof BackupStoreError)) throw error;
    throw new GitopsError('unreachable', error.message, { cause: error });
  });
  const newest = newestGood(points);
  const overdue = isOverdue(newest, milliseconds(backup.oldestAllowed), Date.now());
  const document = { cluster: backup.cluster, newestGood: newest?.key, overdue, backups: points };
  print(options, document, drawPoints(points, Date.now(), columns()));
  if (!overdue) return;
  const last = newest ? `the newest good backup is of ${newest.createdAt}` : 'there is no good backup';
  note(`Overdue: ${last}, and ${backup.oldestAllowed} are allowed. See docs/runbooks/backup-failed.md.`);
}

async function verify(key: string | undefined, options: VerifyOptions): Promise<void> {
  const request = {
    ...(key !== undefined && { key: checked(backupKeySchema, key) }),
    ...(options.accept && { accept: true }),
  };
  await withBackups(options, async (backups) => {
    tellPoint(options, await backups.verify(request, note));
  });
}

async function diff(from: string, to: string, options: CommonOptions): Promise<void> {
  for (const key of [from, to]) checked(backupKeySchema, key);
  await withBackups(options, async (backups) => {
    const differences = await backups.compare(from, to, note);
    print(options, { from, to, differences }, drawDifference(differences));
  });
}
