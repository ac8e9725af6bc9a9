import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Where a worker keeps its clone, checkouts and image layers: GITOPS_WORK_DIRECTORY, else a folder of the platform's name
 * where temporary files outlive a restart. Commands of the repository run in there as an unprivileged user, so everybody
 * may pass through it; a home directory would shut them out.
 *
 * @throws Error when the folder is somebody else's, who could put anything in there
 */
export function workDirectoryOf(platform: string): string {
  const directory = process.env['GITOPS_WORK_DIRECTORY'] ?? join(tmpdir(), `gitops-${platform}`);
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const { uid } = statSync(directory);
  if (process.getuid && uid !== process.getuid()) {
    throw new Error(
      `The work directory ${directory} belongs to another user (${uid}). Set GITOPS_WORK_DIRECTORY to one of your own.`,
    );
  }
  return directory;
}
