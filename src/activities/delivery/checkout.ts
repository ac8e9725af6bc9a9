import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { unprivileged } from '../../systems/commands/confinement.ts';
import { withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

export interface CheckoutSystems extends Pick<Systems, 'repository'> {
  workDirectory: string;
}

/** Gives some work a clean checkout of a commit, owned by nobody, and removes it afterwards. Every attempt has its own. */
export async function withCheckout<T>(
  { repository, workDirectory }: CheckoutSystems,
  commit: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const root = join(workDirectory, 'checkouts');
  await mkdir(root, { recursive: true, mode: 0o711 });
  const directory = await mkdtemp(join(root, `${process.pid}-`));
  try {
    await withGit(() => repository.checkout(commit, directory));
    await giveAway(directory);
    return await work(directory);
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
