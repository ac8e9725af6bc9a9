import { isRecord } from '../json.ts';
import { nameOf, type Manifest } from '../manifests.ts';

/** Phases of a sync that goes well; Argo CD takes Helm's hooks for its own where an object has none of those. */
const phases = new Map([
  ['PreSync', 'PreSync'],
  ['Sync', 'Sync'],
  ['PostSync', 'PostSync'],
]);
const helmPhases = new Map([
  ['pre-install', 'PreSync'],
  ['pre-upgrade', 'PreSync'],
  ['post-install', 'PostSync'],
  ['post-upgrade', 'PostSync'],
]);

/**
 * The hooks that every sync of these manifests runs, whatever else it changes: `Job/migrate in claims (PreSync)`.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/resource_hooks/
 */
export const hooksIn = (manifests: readonly Manifest[]): string[] =>
  manifests.flatMap((manifest) => {
    const found = phasesOf(manifest.object);
    return found.length > 0 ? [`${nameOf(manifest)} (${found.join(', ')})`] : [];
  });

/** Whether it is there for a while only, in one of these phases or when a sync fails, or is not applied at all (`Skip`). */
export function isHook({ object }: Manifest): boolean {
  const { own, helm } = annotatedIn(object);
  return own !== undefined || helm !== undefined;
}

function annotatedIn({ metadata }: Manifest['object']): { own: unknown; helm: unknown } {
  const annotations = isRecord(metadata) && isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  return { own: annotations['argocd.argoproj.io/hook'], helm: annotations['helm.sh/hook'] };
}

function phasesOf(object: Manifest['object']): string[] {
  const { own, helm } = annotatedIn(object);
  return own === undefined ? phasesIn(helm, helmPhases) : phasesIn(own, phases);
}

const phasesIn = (value: unknown, known: ReadonlyMap<string, string>): string[] =>
  typeof value === 'string'
    ? [...new Set(value.split(',').flatMap((phase) => known.get(phase.trim()) ?? []))]
    : [];
