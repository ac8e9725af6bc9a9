import { readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { parseDocument } from 'yaml';

export class KustomizeError extends Error {
  override readonly name = 'KustomizeError';
}

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Fields of a kustomization whose values name files or folders. */
const lists = [
  'resources',
  'bases',
  'components',
  'crds',
  'configurations',
  'generators',
  'transformers',
  'validators',
  'patchesStrategicMerge',
];
/** Fields whose entries name files under one of `pathKeys`. */
const holders = [
  'patches',
  'patchesJson6902',
  'replacements',
  'openapi',
  'configMapGenerator',
  'secretGenerator',
];
const pathKeys = ['path', 'files', 'envs', 'env'];
const charts = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];

/**
 * Follows a kustomization through everything that it includes: all of it must lie in the checkout, so that what is
 * rendered is what the commit holds. No remote bases, no `..` or symbolic links out of it, no charts.
 *
 * @param root absolute, without symbolic links @param path below root
 * @throws KustomizeError that says which file names what
 */
export async function checkReferences(root: string, path: string): Promise<void> {
  const seen = new Set<string>();
  const queue = [path];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    const file = await kustomizationIn(root, folder);
    if (file === undefined) throw new KustomizeError(`There is no kustomization in ${folder}.`);
    for (const reference of await referencesOf(root, file)) {
      const target = await resolve(root, folder, file, reference);
      if ((await stat(join(root, target))).isDirectory()) queue.push(target);
    }
  }
}

async function kustomizationIn(root: string, folder: string): Promise<string | undefined> {
  for (const name of fileNames) {
    const file = join(folder, name);
    if ((await stat(join(root, file)).catch(() => undefined))?.isFile()) return file;
  }
  return undefined;
}

async function referencesOf(root: string, file: string): Promise<string[]> {
  const document = parseDocument(await readFile(join(root, file), 'utf8'), { version: '1.1' });
  if (document.errors[0]) throw new KustomizeError(`${file}: ${document.errors[0].message}`);
  const kustomization = asRecord(document.toJS({ maxAliasCount: 100 }));
  for (const key of charts) {
    if (key in kustomization) throw new KustomizeError(`${file}: ${key} brings manifests from elsewhere.`);
  }
  const named = [
    ...lists.flatMap((key) => textsOf(kustomization[key])),
    ...holders
      .flatMap((key) => [kustomization[key]].flat())
      .flatMap((holder) => pathKeys.flatMap((key) => textsOf(asRecord(holder)[key]))),
  ];
  // Patches and transformers may stand there themselves: those have lines, and paths have none.
  return named.filter((text) => !text.includes('\n'));
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const textsOf = (value: unknown): string[] => [value].flat().filter((text) => typeof text === 'string');

async function resolve(root: string, folder: string, file: string, reference: string): Promise<string> {
  // `files: [name=path]` gives the key that the content gets.
  const path = /^[^/=]+=(.+)$/.exec(reference)?.[1] ?? reference;
  const target = await realpath(join(root, folder, path)).catch(() => undefined);
  if (target === undefined) {
    throw new KustomizeError(
      `${file} names ${reference}, which is not in the repository (remote bases are refused).`,
    );
  }
  const inside = relative(root, target);
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new KustomizeError(`${file} names ${reference}, which lies outside the repository.`);
  }
  return inside;
}
