import type { Command } from 'commander';
import { checked, GitopsError } from '../client/errors.ts';
import { createRecreations } from '../client/recreations.ts';
import { backupInput } from '../config/backup-settings.ts';
import type { Config } from '../config/schema.ts';
import { backupKeySchema } from '../model/recovery/backup.ts';
import { reportTextKey, type Recreation } from '../model/recovery/recreation.ts';
import { errorText } from '../systems/system-error.ts';
import { withWorkers } from './backups-client.ts';
import { note, print, withCommonOptions, type CommonOptions } from './common.ts';
import { displayOf } from './display.ts';
import { drawRecreation, recreationLines } from './draw-recreation.ts';
import { exitCodes } from './exit-codes.ts';
import { interrupted, untilInterrupted } from './interrupt.ts';
import { prompt } from './prompt.ts';
import { harmless } from './text.ts';

interface Options extends CommonOptions {
  backup: string;
  drill?: true;
  wait?: true;
  yes?: true;
  allowOlder?: true;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('recreate-cluster')
      .description(
        'Rebuilds a lost cluster from a backup: Argo CD, what it knew, and every Application at its last approved revision.',
      )
      .requiredOption(
        '--backup <key>',
        'what it is rebuilt from, as gitops backups list shows it; latest: the newest good one',
      )
      .option('--drill', 'restore into the control plane of recreation.drill only, and take that away again')
      .option('--wait', 'wait until it has ended, and print the report')
      .option('--yes', "do not ask for the cluster's name")
      .option('--allow-older', 'take a backup that is older than backup.oldestAllowed too'),
  ).action(recreate);
}

async function recreate(options: Options): Promise<void> {
  const key = options.backup === 'latest' ? undefined : checked(backupKeySchema, options.backup);
  await withWorkers(options, ['delivery', 'recovery'], async (client, config, cluster) => {
    if (!options.drill && !options.yes && !(await confirm(cluster, options.backup))) {
      note('Nothing was started.');
      process.exitCode = exitCodes.refused;
      return;
    }
    const recreations = createRecreations(client, backupInput(config, { cluster }));
    const { workflowId, joined } = await recreations.start({
      ...(key !== undefined && { key }),
      ...(options.drill && { drill: true }),
      ...(options.allowOlder && { allowOlder: true }),
    });
    if (joined) note(`${workflowId} is under way already. It goes on with what it was started with.`);
    if (!options.wait) {
      print(options, { workflowId, state: 'running', joined }, `${workflowId} is running.`);
      return;
    }
    const ended = await watch(recreations, workflowId, options);
    if (ended) await tell(ended, config, options);
    else process.exitCode = interrupted;
  });
}

/** Ctrl-C ends the watching, never the recreation. */
function watch(
  recreations: ReturnType<typeof createRecreations>,
  workflowId: string,
  { json }: Options,
): Promise<Recreation | undefined> {
  const looks = { name: () => workflowId, draw: drawRecreation, lines: recreationLines };
  const display = displayOf<Recreation>(looks, json);
  return untilInterrupted(async (signal) => {
    try {
      const ended = await recreations.wait(workflowId, { onChange: display.show, signal });
      if (ended) display.show(ended);
      else note('Stopped watching. It goes on; to look again, run the same command.');
      return ended;
    } finally {
      display.end();
    }
  });
}

async function tell(recreation: Recreation, config: Config, options: Options): Promise<void> {
  if (recreation.state !== 'succeeded') process.exitCode = exitCodes.failed;
  if (options.json) return print(options, recreation, '');
  const { report } = recreation;
  if (report === undefined) return;
  try {
    const { objectStoreOf } = await import('../wiring/object-store.ts');
    const text = (await objectStoreOf(config).get(reportTextKey(report)))?.body;
    if (text !== undefined) process.stdout.write(`\n${harmless(text)}\n`);
  } catch (error) {
    note(`The report could not be read here (${errorText(error)}).`);
  }
  note(`The report is in the object store: ${report}`);
}

/** By typing the cluster's name: whoever is in the wrong window notices it. */
async function confirm(cluster: string, backup: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new GitopsError(
      'usage',
      `This rebuilds the cluster ${cluster}, and there is no terminal to ask on. If that is what you want, add --yes.`,
    );
  }
  const question = `This rebuilds the cluster ${cluster} from backup ${backup}. To go on, type its name: `;
  return (await prompt(question)) === cluster;
}
