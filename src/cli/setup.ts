import type { Command } from 'commander';
import { connectTemporal } from '../client/connect.ts';
import { inOurWords } from '../client/errors.ts';
import { backupInput, type BackupConfig } from '../config/backup-settings.ts';
import { loadConfig } from '../config/load.ts';
import type { Prepared } from '../systems/prepared.ts';
import {
  checkRetention,
  registerSearchAttributes,
  scheduleBackup,
  scheduleDrill,
  schedulePoll,
} from '../systems/temporal/setup.ts';
import { payloadKeysOf } from '../wiring/payload-keys.ts';
import { print, withCommonOptions, type CommonOptions } from './common.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('setup')
      .description(
        'Prepares Temporal for this platform, and the store of its backups. To do it again changes nothing.',
      ),
  ).action(setup);
}

async function setup(options: CommonOptions): Promise<void> {
  const config = loadConfig(options.config);
  const { platform, backup, recreation } = config;
  const client = await connectTemporal(payloadKeysOf(config));
  try {
    const prepared: Prepared[] = [
      ...(await registerSearchAttributes(client)),
      await checkRetention(client),
      await schedulePoll(client, platform),
      ...(backup
        ? [await scheduleBackup(client, backupInput(config, backup), backup), ...(await storeOf(backup))]
        : []),
      ...(backup && recreation.drill
        ? [await scheduleDrill(client, backupInput(config, backup), recreation.drill)]
        : []),
    ];
    print(options, { prepared }, prepared.map(line).join('\n'));
  } catch (error) {
    throw inOurWords(error);
  } finally {
    await client.connection.close();
  }
}

/** With the rights of whoever runs this: neither the writer nor the reader of backups may configure a store. */
async function storeOf(backup: BackupConfig): Promise<Prepared[]> {
  const { prepareStore } = await import('../wiring/backup-stores.ts');
  return prepareStore(backup);
}

function line({ what, state, detail, advice }: Prepared): string {
  const told = [detail, advice].filter((text) => text !== undefined).join(' ');
  return `${state.padEnd(8)} ${what}${told === '' ? '' : `: ${told}`}`;
}
