import { stripVTControlCharacters } from 'node:util';
import { Option, type Command } from 'commander';
import { connect, GitopsError, type GitopsClient } from '../client.ts';
import { noSuchEnvironment } from '../config/environments.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { payloadKeysOf } from '../wiring/payload-keys.ts';
import { documentsOf } from './documents.ts';

/** What every command takes. */
export interface CommonOptions {
  config: string;
  json?: true | undefined;
  verbose?: true;
}

export const withCommonOptions = (command: Command): Command =>
  command
    .addOption(new Option('--config <file>', 'the configuration').env('GITOPS_CONFIG').default('gitops.yaml'))
    .option('--json', 'print one JSON document; everything else goes to stderr')
    .option('--verbose', 'print stack traces of errors');

/**
 * Calls `work` with a client of the configured platform, and closes it.
 *
 * @throws GitopsError `unreachable`, and what `work` throws
 */
export async function withClient<T>(
  { config: file }: Pick<CommonOptions, 'config'>,
  work: (gitops: GitopsClient, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig(file);
  const gitops = await connect({
    platform: config.platform,
    documents: documentsOf(config),
    keys: payloadKeysOf(config),
  });
  try {
    return await work(gitops, config);
  } finally {
    await gitops.close();
  }
}

/** The command's result: one JSON document, or text. */
export function print({ json }: Pick<CommonOptions, 'json'>, document: unknown, text: string): void {
  process.stdout.write(
    json ? `${JSON.stringify(document, null, 2)}\n` : `${coloured(text, process.stdout)}\n`,
  );
}

/** What is not the result. */
export const note = (text: string): void => void process.stderr.write(`${coloured(text, process.stderr)}\n`);

/** Files and pipes get no colours. */
const coloured = (text: string, { isTTY }: NodeJS.WriteStream): string =>
  isTTY ? text : stripVTControlCharacters(text);

/** Columns to draw in; where nobody says, as wide as a reader likes. */
export const columns = (stream: { columns?: number } = process.stdout): number => stream.columns ?? 100;

/** @throws GitopsError `usage`: no such environment */
export function checkEnvironment(config: Pick<Config, 'environments'>, name: string | undefined): void {
  if (name === undefined || config.environments.some((environment) => environment.name === name)) return;
  throw new GitopsError('usage', noSuchEnvironment(config, name));
}
