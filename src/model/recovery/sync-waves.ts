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

/** What Argo CD calls an Application where it names it in others: one of another namespace with that before it. */
export const instanceName = ({ metadata: { name, namespace } }: Placed): string =>
  namespace === undefined ? name : `${namespace}_${name}`;

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
    if (object.kind === 'Application') applications.add(instanceName(object));
    const by = trackedBy(object);
    if (by !== undefined) named.add(by);
  }
  return named.intersection(applications);
}

const argoProjKinds = new Set(['Application', 'ApplicationSet', 'AppProject']);

/** `<instance name>:<group>/<kind>:<namespace>/<name>`; a copy on another object counts for nothing. */
const trackingId = /^([^:]+):argoproj\.io\/(\w+):[^/]*\/(.+)$/;

function trackedBy({ kind, metadata: { name, labels, annotations } }: Placed): string | undefined {
  if (!argoProjKinds.has(kind)) return undefined;
  const tracking = annotations?.['argocd.argoproj.io/tracking-id'];
  // The label is what Argo CD used before 3.0. Others use it too, so it counts only where nothing better is there.
  if (tracking === undefined) return labels?.['app.kubernetes.io/instance'];
  const [, instance, trackedKind, trackedName] = trackingId.exec(tracking) ?? [];
  return trackedKind === kind && trackedName === name ? instance : undefined;
}
