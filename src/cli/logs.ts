import type { Command } from 'commander';
import type { Delivery, GitopsClient, LogPart } from '../client.ts';
import { note, print, withClient, withCommonOptions, type CommonOptions } from './common.ts';
import { exitCodeOfState } from './exit-codes.ts';
import { interrupted, untilInterrupted } from './interrupt.ts';
import { harmless, shortChange } from './text.ts';

interface Options extends CommonOptions {
  step?: string;
  follow?: true;
}

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('logs')
      .description('Prints what tests, builds, end-to-end tests and pods that fail wrote, of one change.')
      .argument('<change>', '<service>/<commit>, of which 7 digits are enough')
      .option('--step <name>', 'only what this step wrote, as the status names it: test, build, staging')
      .option('--follow', 'go on with what is written until the delivery has ended, or Ctrl-C'),
  ).action(logs);
}

async function logs(name: string, options: Options): Promise<void> {
  await withClient(options, async (gitops) => {
    const { change, state } = await gitops.status(name);
    if (!options.follow) {
      const found = await show(gitops, change, options);
      if (options.json) return print(options, { change, state, logs: found }, '');
      return found.length === 0 ? note(`No log of ${shortChange(change)} is kept.`) : undefined;
    }
    const followed = await untilInterrupted(async (signal) => {
      try {
        const found = await show(gitops, change, options, signal);
        return signal.aborted ? undefined : found;
      } catch (error) {
        // What was cut off by Ctrl-C is no error.
        if (!signal.aborted) throw error;
        return undefined;
      }
    });
    if (!followed) {
      note(
        `Stopped following. The delivery goes on; look again: gitops logs ${shortChange(change)} --follow`,
      );
      process.exitCode = interrupted;
      return;
    }
    const { state: ended } = await gitops.status(change);
    if (options.json) print(options, { change, state: ended, logs: followed }, '');
    process.exitCode = exitCodeOfState(ended);
  });
}

/** Shows them part by part, unless a document is all that is wanted. @returns all of them, for the document */
async function show(
  gitops: GitopsClient,
  change: string,
  { step, follow, json }: Options,
  signal?: AbortSignal,
): Promise<LogPart[]> {
  const found = new Map<string, LogPart>();
  const stream = json ? process.stderr : process.stdout;
  let shown: string | undefined;
  const parts = gitops.logs(change, {
    ...(step !== undefined && { step }),
    ...(signal && { signal }),
    follow: follow === true,
    onChange: tellingOnce(change),
  });
  for await (const part of parts) {
    const { key, text } = part;
    found.set(key, { ...part, text: json ? (found.get(key)?.text ?? '') + text : '' });
    if (json && !follow) continue;
    if (shown !== key) stream.write(`${shown === undefined ? '' : '\n'}${header(change, part)}\n`);
    shown = key;
    stream.write(harmless(text));
  }
  return [...found.values()];
}

/** What is waited for, when that is something new. */
function tellingOnce(change: string): (delivery: Delivery) => void {
  let told: string | undefined;
  return ({ waitingFor }) => {
    if (waitingFor !== undefined && waitingFor !== told) {
      note(`${shortChange(change)} waits for ${harmless(waitingFor)}`);
    }
    told = waitingFor;
  };
}

const header = (change: string, { step, source, run, attempt, writtenAt }: LogPart): string =>
  `==> ${shortChange(change)} ${step === source ? step : `${step}, ${source}`}: attempt ${attempt} of ${run}, ${writtenAt} <==`;
