import { chown, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { unprivileged } from '../../systems/commands/confinement.ts';
import { isWithin } from '../../systems/work-directory/is-within.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

export interface CheckoutSystems extends Pick<Systems, 'repository'> {
  workDirectory: string;
}

/** The command in a checkout runs as another user, who has to get past the folder of all checkouts. */
const rootMode = 0o711;

/** Gives some work a clean checkout of a commit, owned by nobody, and removes it afterwards. Every attempt has its own. */
export const withCheckout = <T>(
  { repository, workDirectory }: CheckoutSystems,
  commit: string,
  work: (directory: string) => Promise<T>,
): Promise<T> =>
  withScratch(
    join(workDirectory, 'checkouts'),
    async (directory) => {
      await withGit(() => repository.checkout(commit, directory));
      await giveAway(directory);
      return work(directory);
    },
    rootMode,
  );

async function giveAway(directory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = unprivileged;
  await chown(directory, uid, gid);
  await execa('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, directory], { timeout: 60_000 });
}

/** What is read as us must be the commit's. @throws Refused: a symbolic link leads to files of this machine */
export async function refuseLinksOut(directory: string, paths: readonly string[]): Promise<void> {
  const root = await realpath(directory);
  for (const path of paths) {
    const target = await realpath(join(directory, path)).catch(() => undefined);
    if (target === undefined || isWithin(root, target)) continue;
    throw refused(
      `${path} is, or lies behind, a symbolic link that leads out of the repository. Put the file itself there.`,
    );
  }
}
