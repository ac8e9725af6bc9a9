import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemError } from '../system-error.ts';

/**
 * Gives some work a folder of its own, and removes it afterwards. Nobody else may read it before it is given away.
 *
 * @param rootMode of the folder that holds all such folders
 * @throws SystemError: the disk is full
 */
export async function withScratch<T>(
  root: string,
  work: (directory: string) => Promise<T>,
  rootMode = 0o700,
): Promise<T> {
  await mkdir(root, { recursive: true, mode: rootMode });
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
