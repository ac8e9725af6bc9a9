import type { Command } from 'commander';
import { print, withClient, withCommonOptions, type CommonOptions } from './common.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('retry')
      .description('Starts a delivery again that did not succeed. What was finished is found done.')
      .argument('<change>', '<service>/<commit>, of which 7 digits are enough'),
  ).action(retry);
}

async function retry(change: string, options: CommonOptions): Promise<void> {
  await withClient(options, async (gitops) => {
    const started = await gitops.retry(change);
    print(options, started, `${started.change} ${started.state}`);
  });
}
