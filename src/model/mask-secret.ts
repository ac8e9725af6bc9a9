import { canonicalJson, isRecord } from './json.ts';
import type { Manifest } from './manifests.ts';

/** All else of a Secret is a value, also what somebody misspelt. */
const open = new Set(['apiVersion', 'kind', 'type', 'immutable']);

/** These say how Argo CD and Helm sync an object. Others may be copies of it, as `kubectl apply` and other tools keep them. */
const openAnnotation = /^(argocd\.argoproj\.io|helm\.sh)\//;

/**
 * With the values of a Secret replaced by the beginning of their hash, wherever it keeps them: a diff shows that one
 * changed, not what it is.
 *
 * @param hash of a text
 */
export function maskSecret(manifest: Manifest, hash: (text: string) => string): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const mask = (value: unknown): string =>
    `sha256:${hash(typeof value === 'string' ? value : canonicalJson(value)).slice(0, 12)}…`;
  const maskAll = (values: unknown, isOpen: (key: string) => boolean = () => false): unknown =>
    isRecord(values)
      ? mapValues(values, (value, key) => (isOpen(key) ? value : mask(value)))
      : (values ?? null) && mask(values);
  const object = mapValues(manifest.object, (value, key) => {
    if (key !== 'metadata' || !isRecord(value)) return open.has(key) ? value : maskAll(value);
    // Its `managedFields` hold names of fields only.
    return mapValues(value, (inner, name) =>
      name === 'annotations' ? maskAll(inner, (annotation) => openAnnotation.test(annotation)) : inner,
    );
  });
  return { ...manifest, object };
}

const mapValues = (
  record: Record<string, unknown>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
