import { isRecord } from './json.ts';
import type { Manifest } from './manifests.ts';

/**
 * With the values of Secrets replaced by the beginning of their hash: a diff shows that one changed, not what it is.
 *
 * @param hash of a text
 */
export function maskSecret(manifest: Manifest, hash: (text: string) => string): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const mask = (values: unknown): unknown =>
    isRecord(values)
      ? Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, `sha256:${hash(String(value)).slice(0, 12)}…`]),
        )
      : values;
  const { data, stringData, ...rest } = manifest.object;
  const object = {
    ...rest,
    ...(data !== undefined && { data: mask(data) }),
    ...(stringData !== undefined && { stringData: mask(stringData) }),
  };
  return { ...manifest, object };
}
