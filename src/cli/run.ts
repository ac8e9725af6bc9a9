import { Command, CommanderError } from 'commander';
import { GitopsError, type ErrorKind } from '../client/errors.ts';
import { ConfigError } from '../config/load.ts';
import { useProxies } from '../systems/network/proxies.ts';
import { errorText } from '../systems/system-error.ts';
import { commands } from './commands.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { harmless } from './text.ts';

/** Runs one command line. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    useProxies();
    const program = await programFor(argv[0] ?? '');
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    return report(error, argv);
  }
}

/** With one command registered: to load the others would cost a second. */
export async function programFor(name: string): Promise<Command> {
  const program = new Command('gitops').exitOverride().showSuggestionAfterError();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) (await command.load()).register(program);
  // The others are known by name, for the suggestion when one is misspelt.
  else for (const known of Object.keys(commands)) program.command(known);
  return program;
}

function report(error: unknown, argv: readonly string[]): number {
  const message = errorText(error);
  const kind = kindOf(error);
  if (argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { kind: kind ?? 'unexpected', message } }, null, 2)}\n`);
  }
  process.stderr.write(`gitops: ${harmless(message)}\n`);
  const trace = argv.includes('--verbose') && error instanceof Error ? error.stack : undefined;
  if (trace !== undefined) process.stderr.write(`${harmless(trace)}\n`);
  return kind ? exitCodeOfError(kind) : exitCodes.failed;
}

function kindOf(error: unknown): ErrorKind | undefined {
  if (error instanceof GitopsError) return error.kind;
  return error instanceof ConfigError ? 'usage' : undefined;
}
