import { chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { isAliveElsewhere } from '../../systems/alive.ts';
import type { Repository } from '../../systems/git/repository.ts';
import { unprivileged } from '../../systems/commands/index.ts';
import { SystemError } from '../../systems/system-error.ts';

/**
 * Gives some work a clean checkout of a commit, owned by nobody, and removes it afterwards. Every attempt has its own.
 *
 * @param root folder for checkouts; this program has it to itself
 */
export async function withCheckout<T>(
  repository: Repository,
  root: string,
  commit: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  await mkdir(root, { recursive: true, mode: 0o711 });
  const directory = await mkdtemp(join(root, `${process.pid}-`));
  try {
    await repository.checkout(commit, directory);
    await giveAway(directory);
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Gives some work a folder of its own that nobody else may read, and removes it afterwards.
 *
 * @throws SystemError: the disk is full
 */
export async function withScratch<T>(root: string, work: (directory: string) => Promise<T>): Promise<T> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(join(root, `${process.pid}-`));
  try {
    return await work(directory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    throw new SystemError(`The disk of ${root} is full.`, {
      advice: 'Make room, or set GITOPS_WORK_DIRECTORY to a larger one.',
      cause: error,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function giveAway(directory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = unprivileged;
  await chown(directory, uid, gid);
  await execa('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, directory], { timeout: 60_000 });
}

/** Removes what workers left in a folder of theirs that were killed. For a worker that has just been started. */
export async function clearDeadCheckouts(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const pid = Number(name.split('-')[0]);
    if (Number.isInteger(pid) && !isAliveElsewhere(pid))
      await rm(join(root, name), { recursive: true, force: true });
  }
}
