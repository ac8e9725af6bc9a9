import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem } from './load.ts';
import { isReadable, secretsIn } from './secrets.ts';
import { lineAndColumn, pathText } from './yaml-positions.ts';

/**
 * Variables that a valid configuration names and this process does not have. Whoever checks the file needs none of
 * them, a worker those of its queues.
 */
export function unsetVariables(file: string): ConfigProblem[] {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  return secretsIn(document.toJS())
    .filter(({ reference }) => reference.startsWith('env:') && !isReadable(reference))
    .map(({ path, reference }) => ({
      path: pathText(path),
      ...lineAndColumn(document, lines, path, false),
      message: `${reference} is not set here: set it where it is needed, or correct its name`,
    }));
}
