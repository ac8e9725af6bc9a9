import type { Client } from '@temporalio/client';
import type { Config } from '../config/schema.ts';
import type { ArgoCd } from '../systems/argocd/index.ts';
import type { Kubernetes } from '../systems/kubernetes/index.ts';
import type { BackupStore } from '../systems/backups/index.ts';
import type { CommandRunner } from '../systems/commands/index.ts';
import type { Forge } from '../systems/forge/index.ts';
import type { Repository } from '../systems/git/index.ts';
import type { Images } from '../systems/images/index.ts';
import type { ObjectStore } from '../systems/objects/index.ts';
import type { Recreations } from '../systems/temporal/recreations.ts';

/** The outside world, as activities see it. */
export interface Systems {
  config: Config;
  /** The platform's: it holds the manifests, and promotions write to it. */
  repository: Repository;
  /** The repository that holds a service's source: that one, or another. */
  sourceOf: (service: string) => Repository;
  forge: Forge;
  objects: ObjectStore;
  /** Refuses while its cluster is recreated (`notWhileRecreated`); the recreation makes its own. */
  argocd: ArgoCd;
  recreations: Recreations;
  kubernetes: Kubernetes;
  /** Where backups are put, and for whom they are encrypted (age). */
  backups: { store: BackupStore; recipients: () => string[] };
  images: Images;
  commands: CommandRunner;
  temporal: Client;
}
