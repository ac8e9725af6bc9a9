import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import {
  checksumFile,
  checksumOf,
  checksumsOf,
  recordedIn,
  recordings,
  releases,
} from '../support/recorded.ts';

/** What a release recorded is what its workflows did: where it no longer fits, the code has to be mended. */
test.for(releases)('every history of %s is the one that was recorded', (release) => {
  const found = recordedIn(release).map((path) => [
    path,
    checksumOf(readFileSync(`${recordings}${release}/${path}`)),
  ]);
  expect(found).not.toEqual([]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(checksumsOf(release)));
});

/** What the branch's own line did, however deep it was cloned, and what is not committed yet. */
const looks = [
  ['log', '--first-parent', '--diff-merges=first-parent', '--format='],
  ['diff', 'HEAD'],
];

async function git(...args: string[]): Promise<string[]> {
  const { stdout } = await execa('git', [...args], { cwd: recordings });
  return stdout.split('\n').filter((line) => line !== '');
}

test.for(looks)('no recorded history was changed or taken away, as git %s tells', async (look) => {
  const changed = [...look, '--no-renames', '--diff-filter=a', '--name-only'];
  expect(await git(...changed, '--', ':(glob)[0-9]*/*/*.json')).toEqual([]);
});

test.for(looks)('the lists of recorded histories only grow, as git %s tells', async (look) => {
  const lines = await git(...look, '--patch', '--unified=0', '--', `:(glob)[0-9]*/${checksumFile}`);
  expect(lines.filter((line) => /^-(?!--)/.test(line))).toEqual([]);
});
