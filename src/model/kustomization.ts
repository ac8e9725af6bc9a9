import { parseAllDocuments } from 'yaml';
import { isRecord } from './json.ts';

/** A `kustomization.yaml`, whatever is in it. */
export type Kustomization = Record<string, unknown>;

/** By which of these Kustomize reads a folder: the first that is there. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Reads one as Kustomize does: of several documents the first, and of a key that is there twice the last.
 *
 * @returns `problem`: why it is none, without quoting it, since it may hold secrets
 */
export function readKustomization(text: string): { kustomization?: Kustomization; problem?: string } {
  try {
    const [document] = parseAllDocuments(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
    const error = document?.errors[0];
    if (error) return { problem: `is no YAML (${firstLine(error.message)})` };
    // People may use aliases here; a hundred is more than anyone writes by hand.
    const value: unknown = document?.toJS({ maxAliasCount: 100 });
    return isRecord(value) ? { kustomization: value } : { problem: 'is no YAML with keys and values' };
  } catch {
    return { problem: 'nests too deep, or has too many aliases' };
  }
}

/** The lines after it quote what was read. */
const firstLine = (message: string): string => message.split('\n')[0]?.replace(/:$/, '') ?? '';

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
/** Keys whose values have a `path`, or are lists of such. */
const holdersOfPaths = ['patches', 'patchesJson6902', 'replacements', 'openapi'];
const fileGenerators = ['configMapGenerator', 'secretGenerator'];

/**
 * Other files and folders that a kustomization reads, as it names them; YAML written in place is none.
 * (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/)
 */
export function referencesIn(kustomization: Kustomization): string[] {
  const found = [
    ...listsOfPaths.flatMap((key) => strings(kustomization[key])),
    ...holdersOfPaths.flatMap((key) => records(kustomization[key]).flatMap(({ path }) => strings(path))),
    ...fileGenerators.flatMap((key) => records(kustomization[key]).flatMap(generatorFiles)),
  ];
  return found.filter((text) => text !== '' && !isWrittenInPlace(text));
}

/** YAML or JSON, where a path might be. */
const isWrittenInPlace = (text: string): boolean => text.includes('\n') || /^\s*[{[]/.test(text);

const generatorFiles = ({ files, envs, env }: Kustomization): string[] => [
  // `key=path`, or the path alone.
  ...strings(files).map((entry) => entry.slice(entry.indexOf('=') + 1)),
  ...strings(envs),
  ...strings(env),
];

/** Keys that have Kustomize fetch charts and run Helm. */
const charts = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];

/** Those of them that a kustomization has. */
export const chartsIn = (kustomization: Kustomization): string[] =>
  charts.filter((key) => Object.hasOwn(kustomization, key));

/** Names of images that a kustomization replaces. */
export const replacedImages = (kustomization: Kustomization): string[] =>
  records(kustomization['images']).flatMap(({ name }) => strings(name));

/** What is one, or a list of them. */
const records = (value: unknown): Kustomization[] => [value].flat().filter(isRecord);
const strings = (value: unknown): string[] =>
  [value].flat().filter((item): item is string => typeof item === 'string');
