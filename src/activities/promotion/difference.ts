import { createHash } from 'node:crypto';
import type { Change } from '../../model/delivery/change.ts';
import { canonicalManifests, type Manifest } from '../../model/manifests.ts';
import { maskSecret } from '../../model/mask-secret.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { diffManifests } from '../../systems/kustomize/diff.ts';
import { withObjects } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** By which manifests are approved. */
export const digestOf = (manifests: Manifest[]): string => `sha256:${sha256(canonicalManifests(manifests))}`;

/**
 * Stores what people are shown, Secrets masked, under its own digest: what was shown stays what it was.
 *
 * @param head lines that stand before it, each with its end @param scratch folder for short-lived files
 * @returns its key
 */
export async function storeDifference(
  { objects }: Pick<Systems, 'objects'>,
  { environment, change }: { environment: string; change: Change },
  { head, before, after, scratch }: { head: string; before: Manifest[]; after: Manifest[]; scratch: string },
): Promise<string> {
  const masked = (all: Manifest[]) => all.map((manifest) => maskSecret(manifest, sha256));
  const text = `${head}\n${await diffManifests(masked(before), masked(after), scratch)}`;
  const key = objectKeys.diff(environment, change, `sha256:${sha256(text)}`);
  await withObjects(() => objects.put(key, text));
  return key;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
