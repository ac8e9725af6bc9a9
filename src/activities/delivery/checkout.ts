import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Change } from '../../model/delivery/change.ts';
import { unprivileged } from '../../systems/commands/confinement.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';
import { withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

export interface CheckoutSystems extends Pick<Systems, 'repository' | 'sourceOf'> {
  workDirectory: string;
}

/** The command in a checkout runs as another user, who has to get past the folder of all checkouts. */
const rootMode = 0o711;

/** Gives some work a clean checkout of a change, owned by nobody, and removes it afterwards. Every attempt has its own. */
export const withCheckout = <T>(
  { sourceOf, workDirectory }: CheckoutSystems,
  { service, commit }: Change,
  work: (directory: string) => Promise<T>,
): Promise<T> =>
  withScratch(
    join(workDirectory, 'checkouts'),
    async (directory) => {
      await withGit(() => sourceOf(service).checkout(commit, directory));
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
