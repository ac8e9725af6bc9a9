import type { Command } from 'commander';
import { GitopsError, type GitopsClient, type Started } from '../client.ts';
import {
  checkEnvironment,
  note,
  print,
  withClient,
  withCommonOptions,
  type CommonOptions,
} from './common.ts';
import { exitCodeOfState } from './exit-codes.ts';
import { interrupted } from './interrupt.ts';
import { stateReached, watchDeliveries } from './watch-deliveries.ts';

interface Options extends CommonOptions {
  service?: string;
  commit?: string;
  all?: true;
  changedSince?: string;
  image?: string;
  wait?: string | true;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('deliver')
      .description(
        'Starts the delivery of a service at a commit, of each service that commits changed, or of all.',
      )
      .option('--service <name>', 'the service to deliver')
      .option('--commit <sha>', 'the commit to deliver, by its full hash')
      .option(
        '--changed-since <sha>',
        'deliver what has changed since this commit; forty zeros: all that is there',
      )
      .option('--all', "deliver every service, at --commit or else at the branch's tip")
      .option(
        '--image <ref@digest>',
        'take this image, which CI built from the commit, instead of building one',
      )
      .option('--wait [environment]', 'wait until it is through this environment, or through the last one'),
  ).action(deliver);
}

async function deliver(options: Options): Promise<void> {
  await withClient(options, async (gitops, config) => {
    const until = options.wait === true ? undefined : options.wait;
    checkEnvironment(config, until);
    const changes = await start(gitops, options);
    const waits = options.wait !== undefined && changes.length > 0;
    if (!waits) return print(options, { changes }, describe(changes));
    for (const { change, unchecked } of changes) if (unchecked) note(`${change}${notChecked}`);

    const names = changes.map(({ change }) => change);
    const deliveries = await watchDeliveries(gitops, names, {
      ...(until !== undefined && { until }),
      json: options.json,
    });
    if (!deliveries) {
      process.exitCode = interrupted;
      return;
    }
    const reached = changes.map(({ change, workflowId, state }, index) => ({
      change,
      workflowId,
      state: deliveries[index]?.state ?? state,
    }));
    if (options.json) print(options, { changes: reached }, '');
    // The first failure decides: 1 comes before 3, and both before 0.
    const codes = deliveries.map((delivery) => exitCodeOfState(stateReached(delivery, until)));
    process.exitCode = codes.find((code) => code === 1) ?? Math.max(...codes);
  });
}

async function start(gitops: GitopsClient, options: Options): Promise<Started[]> {
  const { service, commit, all, changedSince, image } = options;
  if (changedSince !== undefined) {
    if (service !== undefined || commit !== undefined || image !== undefined || all) {
      throw new GitopsError(
        'usage',
        '--changed-since finds out what to deliver: leave out the other options.',
      );
    }
    return gitops.deliverChangedSince({ since: changedSince });
  }
  if (all) {
    if (service !== undefined || image !== undefined) {
      throw new GitopsError('usage', '--all takes every service: leave out --service and --image.');
    }
    return gitops.deliverAll(commit === undefined ? {} : { commit });
  }
  if (service === undefined || commit === undefined) {
    throw new GitopsError(
      'usage',
      'Say what to deliver: --service with --commit, or --changed-since, or --all.',
    );
  }
  return [await gitops.deliver({ service, commit, ...(image !== undefined && { image }) })];
}

const notChecked =
  '; no worker has answered yet, so nobody has looked whether there is such a service and commit. See what is away: gitops status';

const describe = (changes: readonly Started[]): string =>
  changes.length === 0
    ? 'No service has changed: there is nothing to deliver.'
    : changes
        .map(({ change, state, unchecked }) => `${change} ${state}${unchecked ? notChecked : ''}`)
        .join('\n');
