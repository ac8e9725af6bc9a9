import { posix } from 'node:path';
import { parseDocument } from 'yaml';

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The file by which Kustomize reads a folder, if it has one. */
export const kustomizationOf = (folder: string, files: ReadonlySet<string>): string | undefined =>
  names.map((name) => `${folder}/${name}`).find((file) => files.has(file));

export const isKustomization = (file: string): boolean => names.includes(posix.basename(file));

export type Kustomization = Record<string, unknown>;

/**
 * Reads a kustomization, whatever is in it.
 *
 * @returns undefined when it is no YAML with keys and values
 */
export function parseKustomization(text: string): Kustomization | undefined {
  try {
    const document = parseDocument(text, { version: '1.2' });
    // People may use aliases here; a hundred is more than anyone writes by hand.
    const value: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keys whose values are paths, or a list of them. */
const listsOfPaths = [
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
/** Keys whose values are lists of objects with a `path`. */
const listsOfObjects = ['patches', 'patchesJson6902', 'replacements'];
const fileGenerators = ['configMapGenerator', 'secretGenerator'];

/**
 * Other files and folders that a kustomization reads, as it names them; YAML written in place is none.
 * (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/)
 */
export function references(kustomization: Kustomization): string[] {
  const found = [
    ...listsOfPaths.flatMap((key) => strings(kustomization[key])),
    ...listsOfObjects.flatMap((key) => records(kustomization[key]).flatMap(({ path }) => strings([path]))),
    ...fileGenerators.flatMap((key) => records(kustomization[key]).flatMap(generatorFiles)),
    ...records([kustomization['openapi']]).flatMap(({ path }) => strings([path])),
  ];
  return found.filter((text) => text !== '' && !text.includes('\n'));
}

const generatorFiles = ({ files, envs, env }: Kustomization): string[] => [
  // `key=path`, or the path alone.
  ...strings(files).map((entry) => entry.slice(entry.indexOf('=') + 1)),
  ...strings(envs),
  ...strings([env]),
];

/** Names of images that a kustomization replaces. */
export const replacedImages = (kustomization: Kustomization): string[] =>
  records(kustomization['images']).flatMap(({ name }) => strings([name]));

/** A folder or file as the kustomization in `folder` names it, from the root of the repository. */
export const resolveReference = (folder: string, reference: string): string =>
  posix.normalize(posix.join(folder, reference)).replace(/\/$/, '');

/** Whether Kustomize would fetch it from the network. */
export const isRemote = (reference: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/|^git@|^git::|^[a-z0-9-]+(\.[a-z0-9-]+)+\/.*(\/\/|\?ref=|\.git)|^github\.com[/:]/i.test(
    reference,
  );

const isRecord = (value: unknown): value is Kustomization =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const records = (value: unknown): Kustomization[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
