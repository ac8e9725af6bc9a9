import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { identityOf, nameOf, type Manifest } from '../../model/manifests.ts';
import { sortKeys } from '../../model/json.ts';
import { KustomizeError } from './index.ts';

const maxBytes = 10_000_000;
const timeoutMs = 60_000;

/**
 * The difference between two sets of manifests as people read it: object by object, deleted ones first, then changed,
 * then new.
 *
 * @param scratch an empty folder
 */
export async function diffManifests(
  before: readonly Manifest[],
  after: readonly Manifest[],
  scratch: string,
): Promise<string> {
  const files = filesOf([...before, ...after]);
  await Promise.all([
    write(join(scratch, 'before'), before, files),
    write(join(scratch, 'after'), after, files),
  ]);
  const {
    stdout,
    exitCode = 2,
    stderr,
  } = await execa(
    'git',
    [
      'diff',
      '--no-index',
      '--no-prefix',
      '--no-color',
      '--no-ext-diff',
      '--no-renames',
      '--',
      'before',
      'after',
    ],
    {
      cwd: scratch,
      env: { PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
      extendEnv: false,
      timeout: timeoutMs,
      maxBuffer: maxBytes,
      reject: false,
    },
  );
  if (exitCode > 1) throw new KustomizeError(`The manifests cannot be compared: ${stderr.slice(-500)}`);

  const names = new Map(
    [...before, ...after].map((manifest) => [files.get(identityOf(manifest)) ?? '', nameOf(manifest)]),
  );
  // Only after a line feed: for a regular expression lines end at others too, which what is compared may hold.
  const sections = stdout.split(/(?:^|(?<=\n))diff --git [^\n]*\n/).filter((section) => section !== '');
  return sections
    .map((section) => readable(section, names))
    .toSorted((a, b) => a.order - b.order)
    .map(({ text }) => `${text.trimEnd()}\n`)
    .join('\n');
}

async function write(
  folder: string,
  manifests: readonly Manifest[],
  files: ReadonlyMap<string, string>,
): Promise<void> {
  await mkdir(folder);
  for (const manifest of manifests) {
    const file = join(folder, files.get(identityOf(manifest)) ?? '');
    await writeFile(file, stringify(sortKeys(manifest.object), { lineWidth: 0 }));
  }
}

/** The file of each object, in the order of their IDs. Those themselves may be longer than a file's name may be. */
function filesOf(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  const ids = [...new Set(manifests.map(identityOf))].toSorted();
  return new Map(ids.map((id, index) => [id, `${index}`.padStart(6, '0')]));
}

const verbs = [
  { sign: 'deleted file', word: 'DELETED' },
  { sign: 'index', word: 'changed' },
  { sign: 'new file', word: 'new' },
];

/** Git's header of one file, replaced by a line that says which object and what becomes of it. */
function readable(section: string, names: ReadonlyMap<string, string>): { order: number; text: string } {
  const order = verbs.findIndex(({ sign }) => section.startsWith(sign));
  const file = /^(?:---|\+\+\+) (?:before|after)\/(.*?)\t?$/m.exec(section)?.[1] ?? '';
  const hunks = section.slice(section.indexOf('\n@@') + 1);
  return { order, text: `=== ${verbs[order]?.word ?? 'changed'}: ${names.get(file) ?? file}\n${hunks}` };
}
