import { canonicalJson, compareText, isRecord } from './json.ts';

/** One Kubernetes object, as it was rendered. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  /** Empty for cluster-scoped objects and those that say none. */
  namespace: string;
  name: string;
  object: Record<string, unknown>;
}

/** Empty for the core group. */
export const groupOf = (apiVersion: string): string => apiVersion.split('/').slice(0, -1).join('/');

/** What tells one object from all others. The version does not: it may change under the same object. */
export const identityOf = ({ apiVersion, kind, namespace, name }: Manifest): string =>
  [kind, groupOf(apiVersion), namespace, name].join('/');

/** The name of an object that is there more than once, in whatever versions: one of them would replace the other. */
export function repeatedIn(manifests: readonly Manifest[]): string | undefined {
  const seen = new Set<string>();
  for (const manifest of manifests) {
    const identity = identityOf(manifest);
    if (seen.has(identity)) return nameOf(manifest);
    seen.add(identity);
  }
  return undefined;
}

export const nameOf = ({ kind, namespace, name }: Manifest): string =>
  `${kind}/${name}${namespace === '' ? '' : ` in ${namespace}`}`;

/** The same text for the same objects, whatever their order and that of their keys. */
export const canonicalManifests = (manifests: readonly Manifest[]): string =>
  canonicalJson(
    manifests.toSorted((a, b) => compareText(identityOf(a), identityOf(b))).map(({ object }) => object),
  );

export interface Comparison {
  removed: Manifest[];
  changed: { before: Manifest; after: Manifest }[];
  added: Manifest[];
}

export function compare(before: readonly Manifest[], after: readonly Manifest[]): Comparison {
  const old = new Map(before.map((manifest) => [identityOf(manifest), manifest]));
  const kept = new Set(after.map(identityOf));
  const pairs = after.map((manifest) => ({ before: old.get(identityOf(manifest)), after: manifest }));
  return {
    removed: before.filter((manifest) => !kept.has(identityOf(manifest))),
    changed: pairs
      .filter(isPair)
      .filter(({ before, after }) => canonicalJson(before.object) !== canonicalJson(after.object)),
    added: pairs.filter(({ before }) => !before).map(({ after }) => after),
  };
}

const isPair = (pair: {
  before: Manifest | undefined;
  after: Manifest;
}): pair is Comparison['changed'][number] => pair.before !== undefined;

const summaryLength = 600;

/**
 * In a few words, what is gone first: `1 removed: Job/old; 2 changed: Deployment/x (image 1a2b → 3c4d), Service/x`.
 *
 * @param hooks that the sync runs, even if nothing changes
 */
export function summarize({ removed, changed, added }: Comparison, hooks: readonly string[] = []): string {
  const part = (what: string, names: string[]): string[] =>
    names.length === 0 ? [] : [`${names.length} ${what}: ${names.join(', ')}`];
  const changes = [
    ...part('removed', removed.map(nameOf)),
    ...part(
      'changed',
      changed.map(({ before, after }) => `${nameOf(after)}${imageChange(before, after)}`),
    ),
    ...part('added', added.map(nameOf)),
  ].join('; ');
  const [run] = part(hooks.length === 1 ? 'hook runs' : 'hooks run', [...hooks]);
  const text =
    changes === ''
      ? `Nothing changes${run === undefined ? '.' : `, but ${run}`}`
      : `${changes}${run === undefined ? '' : `; ${run}`}`;
  return text.length > summaryLength ? `${text.slice(0, summaryLength - 1)}…` : text;
}

export interface ContainerImage {
  /** Of the container, as the object has it. */
  container: string;
  image: string;
}

const containerLists = ['containers', 'initContainers', 'ephemeralContainers'];

/** Images of all containers anywhere in an object: a CronJob's, a Rollout's and an unknown operator's too. */
export function containerImages(value: unknown): ContainerImage[] {
  if (Array.isArray(value)) return value.flatMap(containerImages);
  if (!isRecord(value)) return [];
  const own = containerLists
    .flatMap((key) => (Array.isArray(value[key]) ? value[key] : []))
    .filter(isRecord)
    .filter(({ image }) => typeof image === 'string')
    .map(({ name, image }) => ({ container: String(name), image: String(image) }));
  return [...own, ...Object.values(value).flatMap(containerImages)];
}

/** `registry:5000/team/name` of `registry:5000/team/name:tag@sha256:…`. */
export const imageName = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');

/** `sha256:…`, if the image is named by it. */
export const imageDigest = (image: string): string | undefined => /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];

function imageChange(before: Manifest, after: Manifest): string {
  const old = new Map(containerImages(before.object).map(({ container, image }) => [container, image]));
  const change = containerImages(after.object).find(
    ({ container, image }) => old.has(container) && old.get(container) !== image,
  );
  if (!change) return '';
  return ` (image ${shortTag(old.get(change.container) ?? '')} → ${shortTag(change.image)})`;
}

const shortTag = (image: string): string => (/:([^/:@]+)(?:@|$)/.exec(image)?.[1] ?? 'untagged').slice(0, 12);
