import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { errorText } from '../system-error.ts';
import { confinement } from './confinement.ts';
import type { CommandRunner } from './index.ts';

/** A command that was told to end has this long to do so. */
const graceMs = 10_000;

/**
 * Runs commands that came out of a repository, which anybody may have written. As root they run as an unprivileged user
 * with no way back, in a PID namespace of their own: they see no other process and none of theirs outlives them. Their
 * environment is empty, so no credential is in it. This is no boundary against the kernel or the network; workers for
 * `build` belong on machines of their own. Without root they run as this very user, which is for development.
 */
export function createCommandRunner(): CommandRunner {
  const isRoot = process.getuid?.() === 0;
  return {
    async run({ command, cwd, env, timeoutMs, signal, onOutput }) {
      signal.throwIfAborted();
      const [program = '', ...args] = isRoot ? [...confinement, ...command] : command;
      const child = spawn(program, args, {
        cwd,
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: cwd, LANG: 'C.UTF-8', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      child.stdout.setEncoding('utf8').on('data', onOutput);
      child.stderr.setEncoding('utf8').on('data', onOutput);

      let timedOut = false;
      const timeout = setTimeout(() => {
        timedOut = true;
        end(child);
      }, timeoutMs);
      const abort = () => end(child);
      signal.addEventListener('abort', abort, { once: true });
      try {
        const [exitCode] = (await once(child, 'close')) as [number | null];
        signal.throwIfAborted();
        return timedOut ? { state: 'timed-out' } : { state: 'ended', exitCode: exitCode ?? 1 };
      } catch (error) {
        if (signal.aborted) throw error;
        const why = errorText(error);
        throw new Error(`${command.join(' ')} could not be started in ${cwd}: ${why}`, { cause: error });
      } finally {
        clearTimeout(timeout);
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

/** The whole group: a shell that is told to end leaves its children behind. */
function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  tell(-pid, 'SIGTERM');
  setTimeout(() => tell(-pid, 'SIGKILL'), graceMs).unref();
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
