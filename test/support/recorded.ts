import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Run } from './histories.ts';

/** Histories that releases left behind: `<release>/<scenario>/<type>-<environment>-<number>.json`. */
export const recordings = fileURLToPath(new URL('../histories/', import.meta.url));

/** Lists a release's files with their hashes, as `sha256sum` does: lines are only added. */
export const checksumFile = 'SHA256SUMS';

export const releases: readonly string[] = readdirSync(recordings, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A release's recorded files, by their paths in its folder. */
export const recordedIn = (release: string): string[] =>
  readdirSync(`${recordings}${release}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .toSorted();

/** Hashes by paths, as the release's list has them. */
export function checksumsOf(release: string): Map<string, string> {
  const file = `${recordings}${release}/${checksumFile}`;
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  return new Map(
    lines.map((line) => {
      const [sum = '', path = ''] = line.split('  ');
      return [path, sum];
    }),
  );
}

export const checksumOf = (content: string | Buffer): string =>
  createHash('sha256').update(content).digest('hex');

/** @param file its path in the folder of recordings */
export function readRecorded(file: string): Run {
  const history = historyFromJSON(JSON.parse(readFileSync(`${recordings}${file}`, 'utf8')));
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  return { workflowId: started?.workflowId ?? '', type: started?.workflowType?.name ?? '', history };
}
