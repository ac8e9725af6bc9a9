import type { Client } from '@temporalio/client';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Config } from '../../config/schema.ts';
import type { Target } from '../../model/recovery/recreation.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';
import { withArgoCds, type ArgoCds } from './argocd-by-namespace.ts';
import type { RecreationSystems } from './systems.ts';

export interface RebuiltCluster {
  kubernetes: Kubernetes;
  argocds: ArgoCds;
  config: Config;
  temporal: Client;
  recreation: string;
  /** When Argo CD began to run again, in milliseconds. */
  startedAt: number;
  /** Limits operations. Waits for health are not limited: they cost next to nothing. */
  slots: LimitFunction;
}

/** Works with the Argo CD of the cluster that comes back. */
export async function withRebuiltCluster<T>(
  { config, temporal, clusterOf }: RecreationSystems,
  { startedAt, ...target }: Target & { startedAt: string },
  work: (rebuilt: RebuiltCluster) => Promise<T>,
): Promise<T> {
  const kubernetes = clusterOf(target);
  return withArgoCds(kubernetes, config.argocd.namespace, (argocds) =>
    work({
      kubernetes,
      argocds,
      config,
      temporal,
      recreation: target.recreation,
      startedAt: Date.parse(startedAt),
      slots: pLimit(config.recreation.parallel),
    }),
  );
}
