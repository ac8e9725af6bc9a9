import { execa, ExecaError } from 'execa';
import { caFileAdvice } from '../network/certificates.ts';
import { proxyEnvironment } from '../network/proxies.ts';
import { GitError, type GitErrorKind } from './index.ts';

export interface GitOptions {
  /** Standard input. */
  input?: string | Uint8Array;
  env?: Record<string, string>;
  timeoutMs?: number;
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

/**
 * Runs git in a bare repository.
 *
 * @returns standard output, as it is
 * @throws GitError
 */
export async function git(directory: string, args: string[], options: GitOptions = {}): Promise<string> {
  try {
    const { stdout } = await execa('git', ['--git-dir', directory, ...args], {
      env: options.env ?? gitEnvironment([]),
      extendEnv: false,
      timeout: options.timeoutMs ?? defaultTimeoutMs,
      maxBuffer: largestOutput,
      stripFinalNewline: false,
      ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    });
    return stdout;
  } catch (error) {
    throw error instanceof ExecaError ? gitError(args[0] ?? '', error) : error;
  }
}

/** Lost races: somebody else's push was there first (`cannot lock ref` is what a forge says to the second of two). */
const race =
  /fetch first|non-fast-forward|cannot lock ref|incorrect old value provided|stale info|failed to update ref|reference already exists/;

const kinds: [GitErrorKind, RegExp][] = [
  ['race', race],
  ['auth', /Authentication failed|could not read (Username|Password)|HTTP 401|terminal prompts disabled/],
  ['forbidden', /protected branch|pre-receive hook declined|HTTP 403|not allowed to push|GH006/i],
  // The words of OpenSSL and of GnuTLS.
  ['certificate', /SSL certificate problem|certificate verification failed/i],
  ['missing', /not found|does not exist|couldn't find remote ref|not our ref|unadvertised object|HTTP 404/i],
  [
    'unavailable',
    /Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|HTTP 5\d\d|RPC failed|early EOF|unexpected disconnect|Operation timed out/i,
  ],
];

const advice: Partial<Record<GitErrorKind, string>> = {
  auth: 'Check the token that repository.token in gitops.yaml refers to.',
  forbidden: "Let this program's account push to the protected branch: it writes the release folders there.",
  missing: 'Check repository.url and repository.branch in gitops.yaml.',
  certificate: caFileAdvice('repository.caFile'),
};

function gitError(command: string, error: ExecaError): GitError {
  const text = `${String(error.stdout ?? '')}\n${String(error.stderr ?? '')}`.trim();
  const kind = error.timedOut
    ? 'unavailable'
    : (kinds.find(([, pattern]) => pattern.test(text))?.[0] ?? 'failed');
  // Credentials are in no argument and no URL, so what git says holds none.
  const lines = text.split('\n').slice(-5).join('\n').slice(0, 1000);
  return new GitError(kind, `git ${command}: ${error.timedOut ? 'took too long' : lines}`, {
    advice: advice[kind],
  });
}
