import type { Command } from 'commander';
import { GitopsError, type Listing } from '../client.ts';
import type { Config } from '../config/schema.ts';
import { columns, print, withClient, withCommonOptions, type CommonOptions } from './common.ts';
import { drawDelivery } from './draw-delivery.ts';
import { drawList } from './draw-list.ts';
import { exitCodeOfState } from './exit-codes.ts';
import { interrupted } from './interrupt.ts';
import { inShort } from './short-list.ts';
import { watchDeliveries } from './watch-deliveries.ts';
import { watchList } from './watch-list.ts';

interface Options extends CommonOptions {
  service?: string;
  environment?: string;
  all?: true;
  watch?: true;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('status')
      .description('Shows one change, or what is on its way and what each environment runs.')
      .argument('[change]', '<service>/<commit>, of which 7 digits are enough')
      .option('--service <name>', 'only this service')
      .option('--environment <name>', 'only this environment and its changes')
      .option('--all', 'the whole list: else what is on its way, failed within a day, or is not as promoted')
      .option('--watch', 'go on looking until it has ended, or Ctrl-C'),
  ).action(status);
}

async function status(change: string | undefined, options: Options): Promise<void> {
  if (change === undefined) return list(options);
  if (options.service !== undefined || options.environment !== undefined || options.all) {
    throw new GitopsError(
      'usage',
      '--service, --environment and --all choose from the list: leave them out with a CHANGE.',
    );
  }
  await withClient(options, async (gitops) => {
    if (!options.watch) {
      const delivery = await gitops.status(change, { live: true });
      return print(options, delivery, drawDelivery(delivery, Date.now(), columns()));
    }
    const [delivery] = (await watchDeliveries(gitops, [change], { json: options.json })) ?? [];
    process.exitCode = delivery ? exitCodeOfState(delivery.state) : interrupted;
    if (delivery && options.json) print(options, delivery, '');
  });
}

async function list({ service, environment, all, ...options }: Options): Promise<void> {
  const filter = {
    live: true,
    ...(service !== undefined && { service }),
    ...(environment !== undefined && { environment }),
  };
  const chosen =
    [service && `service ${service}`, environment && `environment ${environment}`]
      .filter(Boolean)
      .join(' in ') || undefined;
  await withClient(options, async (gitops, config) => {
    const look = async () => inOrder(await gitops.list(filter), config);
    const draw = (listing: Listing) =>
      drawList(all ? listing : inShort(listing, Date.now()), Date.now(), columns(), chosen);
    if (options.watch) return watchList(look, draw);
    const listing = await look();
    print(options, listing, draw(listing));
  });
}

/** The environments of a service in the order in which changes go through them. */
function inOrder({ environments, ...rest }: Listing, config: Config): Listing {
  const position = new Map(config.environments.map(({ name }, index) => [name, index]));
  const sorted = environments.toSorted(
    (a, b) =>
      a.service.localeCompare(b.service) ||
      (position.get(a.environment) ?? 0) - (position.get(b.environment) ?? 0),
  );
  return { ...rest, environments: sorted };
}
