// One stack a machine: its addresses are fixed. A file says whose it is, and a lock that one command works on it at a time.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, checkout } from './paths.ts';
import { endPids, stackProcesses } from './processes.ts';

const ownerFile = join(cache, 'running');
const lockFile = join(cache, 'lock');

/**
 * Takes the stack for this checkout, and clears away processes that a dead one of another checkout left.
 *
 * @throws Error when another checkout's stack runs, or another command works on it right now
 */
export async function own(): Promise<void> {
  mkdirSync(cache, { recursive: true });
  lock();
  const other = existsSync(ownerFile) ? readFileSync(ownerFile, 'utf8').trim() : checkout;
  const theirs = stackProcesses().filter((process) => process.checkout !== checkout);
  const alive = theirs.filter((process) => process.checkout === other && existsSync(process.checkout));
  if (alive.length > 0) {
    throw new Error(`The stack of ${other} runs on this machine. End it first: make -C ${other} stop`);
  }
  await endPids(
    theirs.map(({ pid }) => pid),
    5_000,
  );
  writeFileSync(ownerFile, `${checkout}\n`);
}

export function disown(): void {
  if (existsSync(ownerFile) && readFileSync(ownerFile, 'utf8').trim() === checkout) rmSync(ownerFile);
}

/** The lock is the kernel's, held by this process's open file: it ends with the process, however that ends. */
function lock(): void {
  const file = openSync(lockFile, 'w');
  // flock(1) locks what it inherits as descriptor 3; the lock belongs to the open file, which stays open here.
  const { status } = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });
  if (status === 0) return;
  closeSync(file);
  throw new Error('Another command is starting or ending the stack right now. Wait for it, then try again.');
}
