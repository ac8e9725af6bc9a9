import type { Command } from 'commander';
import { print, withClient, withCommonOptions, type CommonOptions } from './common.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('nudge')
      .description('Has a delivery ask its environment again now, which it does by itself every 30 hours.')
      .argument('<change>', '<service>/<commit>, of which 7 digits are enough'),
  ).action(nudge);
}

async function nudge(name: string, options: CommonOptions): Promise<void> {
  await withClient(options, async (gitops) => {
    const nudged = await gitops.nudge(name);
    print(options, nudged, `${nudged.change} asks ${nudged.environment} again.`);
  });
}
