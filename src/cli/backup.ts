import type { Command } from 'commander';
import type { RecoveryPoint } from '../model/recovery/backup.ts';
import { note, print, withCommonOptions, type CommonOptions } from './common.ts';
import { withBackups } from './backups-client.ts';
import { drawPoint } from './draw-backups.ts';
import { exitCodes } from './exit-codes.ts';

interface Options extends CommonOptions {
  wait?: true;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('backup')
      .description('Stores what Argo CD knows, encrypted, and reads it back.')
      .option('--wait', 'wait until it is stored and verified'),
  ).action(backup);
}

async function backup(options: Options): Promise<void> {
  await withBackups(options, async (backups) => {
    const handle = await backups.start();
    const { workflowId } = handle;
    if (!options.wait) return print(options, { workflowId, state: 'running' }, `${workflowId} is running.`);
    tellPoint(options, await backups.finished(handle, note));
  });
}

/** What came of looking at a backup; one that is not good fails a script. */
export function tellPoint(options: CommonOptions, point: RecoveryPoint): void {
  print(options, point, drawPoint(point));
  if (point.state !== 'good') process.exitCode = exitCodes.failed;
}
