import type { Target } from '../../model/recovery/recreation.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';
import type { Recovery } from '../backup/open.ts';
import type { Systems } from '../systems.ts';

/** The outside world, as recreations see it. */
export interface RecreationSystems extends Pick<Systems, 'config' | 'objects' | 'temporal'> {
  recovery: Recovery;
  /** Folder for encrypted files on their way. */
  scratch: string;
  /** The lost cluster, or the scratch control plane. */
  clusterOf: (target: Target) => Kubernetes;
}
