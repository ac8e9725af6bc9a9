import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Whether there is another process of that number. What carries our own is of a dead one, when we have just been started:
 * in a container that was started again numbers are the same.
 */
export function isAliveElsewhere(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes what workers left in a folder of theirs that were killed. For a worker that has just been started. */
export async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const pid = Number(name.split('-')[0]);
    if (Number.isInteger(pid) && !isAliveElsewhere(pid))
      await rm(join(root, name), { recursive: true, force: true });
  }
}
