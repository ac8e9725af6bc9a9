import type { Command } from 'commander';
import { GitopsError } from '../client.ts';
import { inOurWords } from '../client/errors.ts';
import { loadConfig } from '../config/load.ts';
import { connectClient } from '../systems/temporal/connect.ts';
import {
  checkRetention,
  registerSearchAttributes,
  schedulePoll,
  type Prepared,
} from '../systems/temporal/setup.ts';
import { print, withCommonOptions, type CommonOptions } from './common.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('setup')
      .description('Prepares Temporal for this platform. To do it again changes nothing.'),
  ).action(setup);
}

async function setup(options: CommonOptions): Promise<void> {
  const { platform } = loadConfig(options.config);
  const client = await connectClient().catch((error: unknown) => {
    throw new GitopsError('unreachable', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  });
  try {
    const prepared: Prepared[] = [
      ...(await registerSearchAttributes(client)),
      await checkRetention(client),
      await schedulePoll(client, platform),
    ];
    print(options, { prepared }, prepared.map(line).join('\n'));
  } catch (error) {
    throw inOurWords(error);
  } finally {
    await client.connection.close();
  }
}

function line({ what, state, detail, advice }: Prepared): string {
  const told = [detail, advice].filter((text) => text !== undefined).join(' ');
  return `${state.padEnd(8)} ${what}${told === '' ? '' : `: ${told}`}`;
}
