import { readdirSync, type Dirent } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tree } from './layout.ts';

/** Far more than any platform has: a folder with so many is a disk, not a checkout. */
const mostFiles = 200_000;

/**
 * A folder on disk as a repository. What nobody commits (folders of tools, installed packages) is left out, and
 * symbolic links are not followed.
 *
 * @throws Error: it cannot be read, or holds far too many files
 */
export function readCheckout(folder: string): Tree {
  const files: string[] = [];
  const links: string[] = [];
  const addFiles = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && !isLeftOut(entry)) addFiles(child);
      if (entry.isFile()) files.push(child);
      if (entry.isSymbolicLink()) links.push(child);
      if (files.length > mostFiles) {
        throw new Error(
          `${folder} holds more than ${mostFiles} files. --checkout says where the repository is.`,
        );
      }
    }
  };
  addFiles('');
  return {
    files,
    links,
    read: (path) => readFile(join(folder, path), 'utf8'),
  };
}

const isLeftOut = ({ name }: Dirent): boolean => name === '.git' || name === 'node_modules';
