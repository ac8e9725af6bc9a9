/** What Argo CD calls an Application where it names it in others: one of another namespace with that before it. */
export const instanceName = ({
  name,
  namespace,
}: {
  name: string;
  namespace?: string | undefined;
}): string => (namespace === undefined ? name : `${namespace}_${name}`);

/** `<instance name>:<group>/<kind>:<namespace>/<name>` */
const trackingId = /^([^:]+):[^/]*\/([^:]+):[^/]*\/(.+)$/;

interface Metadata {
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
}

interface Tracking {
  /** The Application that it is of, by its instance name. */
  instance?: string | undefined;
  /** The object that it was written on, where it says: somebody may have copied it to another. */
  kind?: string | undefined;
  name?: string | undefined;
}

/** What Argo CD notes on everything that it applies. */
export function trackingOf({ labels, annotations }: Metadata): Tracking {
  const id = annotations?.['argocd.argoproj.io/tracking-id'];
  // The label is what Argo CD used before 3.0. Others use it too, so it counts only where nothing better is there.
  if (id === undefined) return { instance: labels?.['app.kubernetes.io/instance'] };
  const [, instance, kind, name] = trackingId.exec(id) ?? [];
  return { instance, kind, name };
}
