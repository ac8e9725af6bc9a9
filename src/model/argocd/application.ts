/** An Argo CD Application, as far as waiting for it, syncing it and explaining it need to know. Times are milliseconds. */
export interface Application {
  name: string;
  namespace?: string | undefined;
  /** Undefined when it has several sources, which nothing here can tell the revision of. */
  source?: ApplicationSource | undefined;
  /** It has none of its own: what it deploys is rendered into another branch first. */
  hydrated?: boolean | undefined;
  project: string;
  destination: { server?: string | undefined; name?: string | undefined; namespace?: string | undefined };
  /** Set when Argo CD syncs it by itself. */
  automated?: { prune: boolean } | undefined;
  deleting: boolean;
  /** What the manifests at the head of `targetRevision` are compared with; `revision` is that head, if it is known. */
  sync: { status: string; revision?: string | undefined };
  health: { status: string; message?: string | undefined; since?: number | undefined };
  /** When sync and health were last looked at. A watch-driven update does not move it. */
  reconciledAt?: number | undefined;
  conditions: { type: string; message: string; since?: number | undefined }[];
  /** Those that are not in sync or not healthy, as far as the Application says so. */
  resources: ResourceState[];
  /** Argo CD keeps the health of single resources elsewhere, as it does by default since 3.0. */
  healthElsewhere?: boolean | undefined;
  /** Asked for, and not ended yet. */
  requested?: { id?: string | undefined } | undefined;
  /** The latest that ran or runs. */
  operation?: Operation | undefined;
  /** Revision of the latest full sync that succeeded, healthy or not. */
  deployedRevision?: string | undefined;
  /** Those of the latest ten. */
  deployedRevisions: string[];
  /** Of the containers of its pods. */
  images: string[];
}

/** An object that an Application is made of, and what Argo CD says of it. */
export interface ResourceState {
  group?: string | undefined;
  kind: string;
  namespace?: string | undefined;
  name: string;
  /** `Synced` or `OutOfSync`. */
  sync?: string | undefined;
  health?: { status?: string | undefined; message?: string | undefined } | undefined;
}

interface ApplicationSource {
  repoURL: string;
  path?: string | undefined;
  targetRevision?: string | undefined;
  kustomize?: Record<string, unknown> | undefined;
  /** What renders it instead of Kustomize, by its key: `plugin`, `helm`, `directory`. */
  renderer?: string | undefined;
}

export interface Operation {
  /** Ours carry one; those of people and of Argo CD itself do not. */
  id?: string | undefined;
  /** Who asked for it, in words. */
  by: string;
  /** Argo CD itself did. */
  automated?: boolean | undefined;
  phase: string;
  message?: string | undefined;
  revision?: string | undefined;
  startedAt: number;
  /** Set while `Running` too: then it waits to be retried. */
  finishedAt?: number | undefined;
  /** Argo CD applies some resources again that drifted, without hooks, and of what it deployed before. */
  healing?: boolean | undefined;
}

/** One of this program's, by its ID; or the one that Argo CD itself started at a revision. */
export type OperationName = { id: string } | { automatedAt: string };

export const isNamed = ({ id, automated, revision }: Operation, name: OperationName): boolean =>
  'id' in name ? id === name.id : Boolean(automated) && revision === name.automatedAt;

export const resourceName = ({
  kind,
  namespace = '',
  name,
}: Pick<ResourceState, 'kind' | 'namespace' | 'name'>): string =>
  `${kind}/${name}${namespace === '' ? '' : ` in ${namespace}`}`;

export const isUnfinished = ({ phase }: Operation): boolean => phase === 'Running' || phase === 'Terminating';

/** Its last attempt failed, and Argo CD is about to make another one. */
export const isRetrying = ({ phase, finishedAt }: Operation): boolean =>
  phase === 'Running' && finishedAt !== undefined;

export const isFailed = ({ phase }: Operation): boolean => phase === 'Failed' || phase === 'Error';
