import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { GitopsError } from '../client/errors.ts';
import { readCheckout } from '../config/checkout.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { layoutProblems } from '../config/layout.ts';
import { ConfigError, loadConfig, problemLine, type ConfigProblem } from '../config/load.ts';
import { namespaceOf } from '../config/environments.ts';
import type { Config } from '../config/schema.ts';
import { isIn, listServices, type Service } from '../config/services.ts';
import type { LayoutProblem, Tree } from '../config/tree.ts';
import { unsetVariables } from '../config/unset-variables.ts';
import { errorText } from '../systems/system-error.ts';
import { note, print, withCommonOptions, type CommonOptions } from './common.ts';
import { exitCodes } from './exit-codes.ts';

interface Options extends CommonOptions {
  checkout?: string;
}

export function register(program: Command): void {
  const config = program.command('config').description('Validates and shows gitops.yaml.');
  const withCheckout = (command: Command) =>
    withCommonOptions(command).option(
      '--checkout <folder>',
      "checkout of the platform's repository (default: the folder of the configuration)",
    );
  withCheckout(
    config
      .command('validate')
      .description(
        'Tells all that is wrong with the configuration, and with the folders that it speaks of. ' +
          'Variables that are not set here are told on stderr, and are no problem.',
      ),
  ).action(validate);
  withCheckout(
    config
      .command('show')
      .description('Prints the configuration with every default, and the services that it finds.'),
  ).action(show);
  config
    .command('schema')
    .description('Prints the JSON Schema of gitops.yaml, by which editors complete and check it.')
    .action(() => void process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`));
}

async function validate(options: Options): Promise<void> {
  const { config: file } = options;
  const { config, problems } = load(file);
  const checkout = config && openCheckout(config, options);
  const layout: LayoutProblem[] = checkout ? await layoutProblems(config, checkout.tree) : [];
  const valid = problems.length + layout.length === 0;
  if (!valid) process.exitCode = exitCodes.usage;

  const warnings = config ? unsetVariables(file) : [];
  const document = { valid, file, problems, warnings, checkout: checkout?.folder ?? null, layout };
  const lines = [
    ...problems.map((problem) => problemLine(file, problem)),
    ...layout.map(({ path, message }) => `${path}: ${message}`),
  ];
  print(options, document, valid ? `${file} is valid.` : lines.join('\n'));
  for (const warning of warnings) note(problemLine(file, warning));
  if (config && !checkout) {
    note(
      `Only the file was looked at: no service is in ${dirname(file)}. --checkout says where the repository is.`,
    );
  }
}

function load(file: string): { config?: Config; problems: ConfigProblem[] } {
  try {
    return { config: loadConfig(file), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    throw error;
  }
}

async function show(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  const checkout = openCheckout(config, options);
  const services = checkout ? [...listServices(config, checkout.tree.files).values()] : [];
  const environments = config.environments.map((environment) =>
    Object.assign(environment, { namespace: namespaceOf(config, environment.name) }),
  );
  const resolved: Config = { ...config, environments };
  const found = checkout
    ? [`# Services in ${checkout.folder}:`, ...services.map(serviceLine)]
    : ['# No service is in this folder: --checkout says where the repository is.'];
  print(
    options,
    { config: resolved, checkout: checkout?.folder ?? null, services },
    `${stringify(resolved)}\n${found.join('\n')}`,
  );
}

const serviceLine = ({ source, name, path, image, context, dockerfile, test, manifests }: Service): string =>
  [
    `#   ${name}: ${path}${source ? ` of ${source.branch} of ${source.repository}` : ''}`,
    `image ${image ?? 'none'}`,
    ...(image === undefined ? [] : [`built from ${context} by ${dockerfile}`]),
    `tests ${test?.join(' ') ?? "the Dockerfile's test target, if there is one"}`,
    `manifests ${manifests}`,
  ].join('; ');

/**
 * The checkout that was named; else the configuration's folder, if services are in it.
 *
 * @throws GitopsError `usage`: the folder that was named cannot be read
 */
function openCheckout(
  config: Config,
  { config: file, checkout: named }: Options,
): { folder: string; tree: Tree } | undefined {
  const folder = resolve(named ?? dirname(file));
  try {
    const tree = readCheckout(folder);
    const services = listServices(config, tree.files).values();
    // A service of the whole repository is anywhere; its Dockerfile is not.
    const isThere = services.some(({ source, path, dockerfile, manifests }) =>
      tree.files.some((name) => {
        if (source) return isIn(name, manifests);
        return path === '.' ? name === dockerfile : isIn(name, path);
      }),
    );
    return isThere || named !== undefined ? { folder, tree } : undefined;
  } catch (error) {
    if (named === undefined) return undefined;
    const why = errorText(error);
    throw new GitopsError('usage', `--checkout ${named} cannot be read: ${why}`, { cause: error });
  }
}
