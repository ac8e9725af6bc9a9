import { relative, sep } from 'node:path';

/** Whether a path lies in a folder, or is it; both absolute, without symbolic links. */
export function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '..' && !inside.startsWith(`..${sep}`);
}
