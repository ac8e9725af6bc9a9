import { cancellationSignal } from '@temporalio/activity';
import { createArgoCd } from '../../systems/argocd/api-client.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';

export interface ArgoCds {
  /** Applications of a namespace; by default of Argo CD's own. */
  of: (namespace?: string) => ArgoCd;
  signal: AbortSignal;
}

/** One watch a namespace, for as long as the work takes: none outlives the cluster that it watches. */
export async function withArgoCds<T>(
  kubernetes: Kubernetes,
  home: string,
  work: (argocds: ArgoCds) => Promise<T>,
): Promise<T> {
  const made = new Map<string, ArgoCd>();
  const over = new AbortController();
  const of = (namespace = home): ArgoCd => {
    const argocd = made.get(namespace) ?? createArgoCd({ kubernetes, namespace });
    made.set(namespace, argocd);
    return argocd;
  };
  try {
    return await work({ of, signal: AbortSignal.any([cancellationSignal(), over.signal]) });
  } finally {
    // When one has failed, the others must not go on unseen.
    over.abort();
    for (const argocd of made.values()) argocd.close();
  }
}
