import { Option, type Command } from 'commander';
import { GitopsError } from '../client/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { queues, type Queue } from '../model/temporal/task-queues.ts';
import { missingSecrets } from '../wiring/needed-secrets.ts';
import { note, withCommonOptions, type CommonOptions } from './common.ts';

interface Options extends CommonOptions {
  queues: Queue[];
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('worker')
      .description('Runs workflows and activities until it is told to end. All of its output goes to stderr.')
      .addOption(
        new Option('--queues <list>', `which of ${queues.join(', ')} to serve, with commas between`)
          .argParser(parseQueues)
          .default([...queues], 'all'),
      ),
  ).action(worker);
}

function parseQueues(list: string): Queue[] {
  return list.split(',').map((name) => {
    const queue = queues.find((known) => known === name.trim());
    if (queue) return queue;
    throw new GitopsError(
      'usage',
      `There is no queue ${JSON.stringify(name)}. There are: ${queues.join(', ')}.`,
    );
  });
}

async function worker(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  checkSecrets(config, options.queues);
  const { createLog } = await import('./log.ts');
  const { runWorker } = await import('../worker.ts');
  const log = createLog(options.verbose === true);
  await runWorker({
    config,
    queues: [...new Set(options.queues)],
    log,
    ready: () => note(`ready: ${config.platform} serves ${options.queues.join(', ')}`),
  });
}

/** @throws GitopsError `usage`: what the queues do would fail for want of secrets, again and again */
function checkSecrets(config: Config, served: readonly Queue[]): void {
  const missing = missingSecrets(config, served);
  if (missing.length === 0) return;
  throw new GitopsError(
    'usage',
    `Secrets are empty or not there, without which this worker cannot serve ${served.join(', ')}: ${missing.join(', ')}. ` +
      'Set them where it runs, or leave out the queues that need them: --queues.',
  );
}
