// Files of running systems.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Writes a configuration, unless it stands there: some systems watch theirs and end when it is written. */
export function writeConfig(file: string, content: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return;
  writeFileSync(file, content);
}
