import { readdirSync, type Dirent } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tree } from './tree.ts';

/** Far more than any platform has: a folder with so many is a disk, not a checkout. */
const mostFiles = 200_000;

/**
 * A folder on disk as Git would have it: what nobody commits (folders of tools, installed packages) is left out, and a
 * symbolic link is a file that holds where it leads.
 *
 * @throws Error: it cannot be read, or holds far too many files
 */
export function readCheckout(folder: string): Tree {
  const files: string[] = [];
  const links = new Set<string>();
  const addFiles = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      if (isLeftOut(entry)) continue;
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) addFiles(child);
      if (entry.isFile() || entry.isSymbolicLink()) files.push(child);
      if (entry.isSymbolicLink()) links.add(child);
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
    links: [...links],
    read: (path) => (links.has(path) ? readlink(join(folder, path)) : readFile(join(folder, path), 'utf8')),
  };
}

const isLeftOut = ({ name }: Dirent): boolean => ['.git', 'node_modules'].includes(name);
