// Running one program to its end.
import { execa, ExecaError } from 'execa';
import { counted } from './build-order.ts';

export interface RunOptions {
  /** Milliseconds; one minute unless told. */
  timeout?: number;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  /** Called with each line the program writes, on either stream. */
  onLine?: (line: string) => void;
  /** What others do on the same cores comes first. */
  inBackground?: boolean;
}

/**
 * Run a program and return what it printed.
 * @throws Error that names the program, its subcommand and its last lines. Arguments are left out: they may
 *   be long, and a caller's secret never belongs in a message.
 */
export const run = (file: string, args: readonly string[], options: RunOptions = {}): Promise<string> =>
  counted(untilItEnds(file, args, options));

async function untilItEnds(file: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { timeout = 60_000, onLine, inBackground, ...rest } = options;
  try {
    const [program, ...words] = inBackground ? ['nice', file, ...args] : [file, ...args];
    const child = execa(program, words, { ...rest, timeout, all: true, killSignal: 'SIGKILL' });
    if (onLine !== undefined) for await (const line of child.iterable({ from: 'all' })) onLine(line);
    return (await child).stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const subcommand = args.find((word) => /^[a-z][a-z-]*$/.test(word)) ?? '';
    const name = `${file.split('/').at(-1)} ${subcommand}`.trimEnd();
    const how = error.timedOut
      ? `did not end within ${timeout / 1000} s`
      : `failed (${error.signal ?? error.exitCode ?? error.code})`;
    throw new Error(`${name} ${how}:\n${lastLines(error.all ?? error.originalMessage ?? '')}`, {
      cause: error,
    });
  }
}

/** As `run`, but a failure is only an answer: for questions, and for removing what may not be there. */
export async function succeeds(
  file: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<boolean> {
  return run(file, args, options).then(
    () => true,
    () => false,
  );
}

export function lastLines(text: string, count = 15): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
