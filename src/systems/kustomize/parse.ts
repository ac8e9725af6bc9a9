import { isScalar, parseAllDocuments, visit, type Document, type Tags } from 'yaml';
import { z } from 'zod';
import type { Manifest } from '../../model/manifests.ts';
import { KustomizeError } from './index.ts';

/** Kubernetes' own objects nest some twenty levels deep. */
const maxDepth = 100;

const objectSchema = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().nullish() }),
});
const listSchema = z.looseObject({ kind: z.string().endsWith('List'), items: z.array(z.unknown()) });

/** YAML 1.1 without times and numbers of base 60, which Kubernetes leaves to be text. */
const options = {
  version: '1.1',
  // Its own check takes each pair of keys: `checkKeys` does it in one pass.
  uniqueKeys: false,
  strict: true,
  logLevel: 'silent',
  customTags: (tags: Tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
} as const;

/**
 * Reads manifests as Kubernetes does (YAML 1.1: `no` is false), with lists taken apart. Refuses what two readers might
 * understand in two ways: duplicate keys, unknown tags; and what is made to exhaust a reader.
 *
 * @throws KustomizeError
 */
export function parseManifests(text: string): Manifest[] {
  try {
    return parseAllDocuments(text, options).flatMap((document) => {
      const [problem] = [...document.errors, ...document.warnings];
      // The lines after the first quote what was read, which may be a secret.
      if (problem)
        throw new KustomizeError(`The rendered manifests cannot be read: ${problem.message.split('\n')[0]}`);
      checkKeys(document);
      return manifestsOf(document.toJS({ maxAliasCount: 100 }));
    });
  } catch (error) {
    // The reader recurses: a document made of brackets ends its stack.
    if (error instanceof RangeError) throw new KustomizeError('The rendered manifests nest too deep.');
    if (error instanceof ReferenceError)
      throw new KustomizeError('The rendered manifests have too many aliases.');
    throw error;
  }
}

/** Of two values of a key readers take different ones. */
function checkKeys(document: Document): void {
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        const name = String(isScalar(key) ? key.value : key);
        if (keys.has(name) && name !== '<<') {
          throw new KustomizeError(
            `The rendered manifests cannot be read: the key ${name} stands twice in a map.`,
          );
        }
        keys.add(name);
      }
    },
  });
}

function manifestsOf(value: unknown): Manifest[] {
  if (value === null || value === undefined) return [];
  const list = listSchema.safeParse(value);
  if (list.success) return list.data.items.flatMap(manifestsOf);
  const parsed = objectSchema.safeParse(value);
  if (!parsed.success) {
    throw new KustomizeError(`A rendered document is no Kubernetes object: ${z.prettifyError(parsed.error)}`);
  }
  checkDepth(parsed.data, maxDepth);
  const { apiVersion, kind, metadata } = parsed.data;
  return [
    { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name, object: parsed.data },
  ];
}

function checkDepth(value: unknown, left: number): void {
  if (left === 0) throw new KustomizeError(`The rendered manifests nest deeper than ${maxDepth} levels.`);
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) checkDepth(inner, left - 1);
}
