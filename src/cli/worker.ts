import type { Logger } from '@temporalio/common';
import { Option, type Command } from 'commander';
import { GitopsError } from '../client/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { queues, type Queue } from '../model/temporal/task-queues.ts';
import { changedConfig } from '../worker/changed-config.ts';
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

/** Serves by the configuration, and by the next one from when the file holds another. */
async function worker(options: Options): Promise<void> {
  let config: Config | undefined = loadConfig(options.config);
  checkSecrets(config, options.queues);
  const { createLog } = await import('./log.ts');
  const log = createLog(options.verbose === true);
  while (config) config = await serve(config, options, log);
}

/** @returns the configuration to go on with; nothing when somebody told the process to end */
async function serve(config: Config, options: Options, log: Logger): Promise<Config | undefined> {
  const { runWorker } = await import('../worker.ts');
  const [changed, over] = [new AbortController(), new AbortController()];
  const told = () => over.abort();
  const check = (found: Config) => checkSecrets(found, options.queues);
  const next = changedConfig(options.config, config, check, log, over.signal).finally(() => changed.abort());
  try {
    await runWorker({
      config,
      queues: [...new Set(options.queues)],
      log,
      stop: changed.signal,
      ready: () => {
        // Not before: without workers to drain, a signal ends the process.
        for (const signal of endingSignals) process.on(signal, told);
        note(`ready: ${config.platform} serves ${options.queues.join(', ')}`);
      },
    });
    return changed.signal.aborted && !over.signal.aborted ? await next : undefined;
  } finally {
    for (const signal of endingSignals) process.off(signal, told);
    over.abort();
  }
}

/** As Temporal's runtime takes them. */
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'] as const;

/** @throws GitopsError `usage`: what the queues do would fail for want of secrets, again and again */
function checkSecrets(config: Config, served: readonly Queue[]): void {
  const missing = missingSecrets(config, served);
  if (missing.length === 0) return;
  throw new GitopsError(
    'usage',
    `Secrets are empty or not there, without which this worker cannot serve ${served.join(', ')}: ${missing.join(', ')}. ` +
      'Set them where it runs, and start it again, or leave out the queues that need them: --queues.',
  );
}
