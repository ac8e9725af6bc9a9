import { execa, ExecaError } from 'execa';
import { proxyEnvironment } from '../network/proxies.ts';
import { gitError } from './answer.ts';
import { GitError } from './index.ts';

export interface GitOptions {
  /** Standard input. */
  input?: string | Uint8Array;
  env?: Record<string, string>;
  timeoutMs?: number;
  /** By which the command says that it found nothing. */
  exitCodeOfNothing?: number;
}

/** Longest that a clone of a large repository may take over a slow line. */
const defaultTimeoutMs = 10 * 60_000;

/** A listing of a large monorepo is a few megabytes. */
const largestOutput = 64 * 1024 * 1024;

/** Never asks, runs no hooks, reads no configuration but its own, and speaks only to web servers. */
const isolation: [string, string][] = [
  ['core.hooksPath', '/dev/null'],
  ['core.symlinks', 'false'],
  ['protocol.allow', 'never'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  ['filter.lfs.smudge', ''],
  ['filter.lfs.required', 'false'],
  ['submodule.recurse', 'false'],
  ['gc.autoDetach', 'false'],
];

/** @param settings `-c` settings that must not be seen in a process list, such as credentials */
export function gitEnvironment(settings: [string, string][]): Record<string, string> {
  const all = [...isolation, ...settings];
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    ...proxyEnvironment(),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Lets git write to a descriptor of its own which headers it gets; credentials are left out. */
const headerTrace = { GIT_TRACE_CURL: '3', GIT_TRACE_CURL_NO_DATA: '1' };

/**
 * Runs git in a bare repository.
 *
 * @returns standard output, as it is
 * @throws GitError
 */
export async function git(directory: string, args: string[], options: GitOptions = {}): Promise<string> {
  try {
    const { stdout } = await execa('git', ['--git-dir', directory, ...args], {
      env: { ...(options.env ?? gitEnvironment([])), ...headerTrace },
      extendEnv: false,
      timeout: options.timeoutMs ?? defaultTimeoutMs,
      maxBuffer: largestOutput,
      stripFinalNewline: false,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
      ...(options.input !== undefined && { input: options.input }),
    });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.exitCode !== undefined && error.exitCode === options.exitCodeOfNothing) return '';
    throw failureOf(args[0] ?? '', error);
  }
}

function failureOf(command: string, error: ExecaError): GitError {
  if (error.timedOut) return new GitError('unavailable', `git ${command}: took too long.`);
  const { stdout, stderr, shortMessage, stdio } = error;
  // It may have been killed, or not be there at all.
  const said = String(stderr ?? '') || shortMessage;
  // Of other commands it is content.
  const report = command === 'push' ? String(stdout ?? '') : '';
  return gitError({ command, output: `${said}\n${report}`, trace: stdio[3] ?? '' });
}
