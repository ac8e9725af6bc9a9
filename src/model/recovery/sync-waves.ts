import { instanceName, trackingOf } from '../argocd/tracking.ts';

/** As much of a stored object as tells its place in the order. Argo CD's own namespace is left out of it. */
export interface Placed {
  kind: string;
  metadata: {
    name: string;
    namespace?: string | undefined;
    labels?: Record<string, string> | undefined;
    annotations?: Record<string, string> | undefined;
  };
}

/** The sync wave: lower ones come first. 0 where there is none, or none that is a number, as Argo CD has it. */
export function waveOf({ metadata }: Placed): number {
  const text = metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? '';
  return /^[+-]?\d+$/.test(text) ? Number(text) : 0;
}

/**
 * The Applications whose manifests hold Applications, ApplicationSets or projects: once synced, they write those as Git
 * has them. Told by what Argo CD notes on everything that it applies.
 *
 * @returns their instance names
 */
export function rootsAmong(objects: Iterable<Placed>): Set<string> {
  const applications = new Set<string>();
  const named = new Set<string>();
  for (const object of objects) {
    if (object.kind === 'Application') applications.add(instanceName(object.metadata));
    const by = trackedBy(object);
    if (by !== undefined) named.add(by);
  }
  return named.intersection(applications);
}

const argoProjKinds = new Set(['Application', 'ApplicationSet', 'AppProject']);

function trackedBy({ kind, metadata }: Placed): string | undefined {
  const tracking = trackingOf(metadata);
  const isCopied = (tracking.kind ?? kind) !== kind || (tracking.name ?? metadata.name) !== metadata.name;
  return argoProjKinds.has(kind) && !isCopied ? tracking.instance : undefined;
}
