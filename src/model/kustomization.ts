import { isRecord } from './json.ts';

/** A `kustomization.yaml`, whatever is in it. */
export type Kustomization = Record<string, unknown>;

/** By which of these Kustomize reads a folder: the first that is there. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

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
  return found.filter((text) => text !== '' && !text.includes('\n'));
}

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
