import { InvalidArgumentError, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { note, withCommonOptions, type CommonOptions } from './common.ts';

interface Options extends CommonOptions {
  host: string;
  port: number;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('server')
      .description("Takes the forge's webhooks until it is told to end. All of its output goes to stderr.")
      .option('--host <address>', 'where to listen', '127.0.0.1')
      .option('--port <number>', 'where to listen', parsePort, 8080),
  ).action(server);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number up to 65535.');
}

async function server({ config: file, host, port, verbose }: Options): Promise<void> {
  const config = loadConfig(file);
  const { createLog } = await import('./log.ts');
  const { connectPatiently } = await import('../systems/temporal/connect.ts');
  const { startServer } = await import('../server.ts');
  const log = createLog(verbose === true);
  const { payloadKeysOf } = await import('../wiring/payload-keys.ts');
  const keys = payloadKeysOf(config);
  const client = await connectPatiently(keys, log);
  const running = await startServer({ config, client, keys, port, host, log });
  note(`ready: ${running.url}`);
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await running.close();
  await client.connection.close();
}
