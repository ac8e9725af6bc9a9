import type { Command } from 'commander';
import { print, withClient, withCommonOptions, type CommonOptions } from './common.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('cancel')
      .description('Stops a delivery and withdraws what it asked for. A release that was written stays.')
      .argument('<change>', '<service>/<commit>, of which 7 digits are enough'),
  ).action(cancel);
}

async function cancel(name: string, options: CommonOptions): Promise<void> {
  await withClient(options, async (gitops) => {
    const cancelled = await gitops.cancel(name);
    print(
      options,
      cancelled,
      `${cancelled.change} is being cancelled. See how it ends: gitops status ${cancelled.change} --watch`,
    );
  });
}
