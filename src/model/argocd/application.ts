/** An Argo CD Application, as far as waiting for it, syncing it and explaining it need to know. Times are milliseconds. */
export interface Application {
  name: string;
  /** Undefined when it has several sources, which nothing here can tell the revision of. */
  source?: ApplicationSource | undefined;
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

interface ApplicationSource {
  repoURL: string;
  path?: string | undefined;
  targetRevision?: string | undefined;
  kustomize?: Record<string, unknown> | undefined;
}

export interface Operation {
  /** Ours carry one; those of people and of Argo CD itself do not. */
  id?: string | undefined;
  /** Who asked for it, in words. */
  by: string;
  phase: string;
  message?: string | undefined;
  revision?: string | undefined;
  startedAt: number;
  /** Set while `Running` too: then it waits to be retried. */
  finishedAt?: number | undefined;
  /** Argo CD applies some resources again that drifted, without hooks, and of what it deployed before. */
  healing?: boolean | undefined;
}

export const isUnfinished = ({ phase }: Operation): boolean => phase === 'Running' || phase === 'Terminating';

export const isFailed = ({ phase }: Operation): boolean => phase === 'Failed' || phase === 'Error';
