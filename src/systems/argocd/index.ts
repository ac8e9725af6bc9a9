import type { Application, OperationName, ResourceState } from '../../model/argocd/application.ts';
import type { SyncWindow } from '../../model/argocd/sync-windows.ts';
import type { LiveWorkload } from '../../model/promotion/running-image.ts';
import type { KeepLog, Workload } from '../kubernetes/pods.ts';
import type { ObjectName } from '../kubernetes/resources.ts';
import { SystemError } from '../system-error.ts';

/**
 * Argo CD through the Kubernetes API of the cluster that it lives in. Applications are named as Argo CD does it:
 * `<namespace>/<name>` where they lie in another namespace than Argo CD. Every method may throw KubernetesError.
 */
export interface ArgoCd {
  /** As it is now, or undefined when there is none. */
  application(name: string): Promise<Application | undefined>;
  /** Those of the same name in other namespaces; none where we may not look there. */
  namesakes(name: string): Promise<Application[]>;
  /**
   * From the process's one shared watch of its namespace: now, at every change and at the latest every `everyMs`, until the signal aborts
   * (its reason is thrown) or the loop is left.
   */
  changes(name: string, everyMs: number, signal: AbortSignal): AsyncGenerator<Sighting, never>;
  /** Which of its objects are Degraded or Suspended, where the Application does not say (`healthElsewhere`). */
  troubledResources(name: string): Promise<ResourceState[]>;
  /**
   * What objects that an Application is made of have their pods run, and what those run; undefined of what is not there.
   *
   * @throws UnseenCluster
   */
  liveWorkloads(
    destination: Application['destination'],
    workloads: readonly Workload[],
  ): Promise<(LiveWorkload | undefined)[]>;
  /** Lets Argo CD look at the branch's head at once; no Application is no error. */
  refresh(name: string): Promise<void>;
  /** Safe to repeat: the same `id` finds what it started. Waits for nobody. */
  startOperation(name: string, request: SyncRequest): Promise<Started>;
  /** Ends an operation if it is what runs; leaves any other alone. */
  terminate(name: string, operation: OperationName): Promise<void>;
  /** What Argo CD took for a part of it when it looked last, other than hooks; nothing where there is none. */
  heldBy(name: string): Promise<HeldObject[]>;
  /** The Application that brings it, if one does. */
  bringerOf(name: string): Promise<string | undefined>;
  /** Deletes it with all that it deployed, if that is of this revision still: on its way, or not there any more. */
  remove(name: string, deployedRevision: string | undefined): Promise<'going' | 'absent' | 'changed'>;
  /** Which of some objects are still there and carry its name. @throws UnseenCluster */
  leftOf(
    name: string,
    destination: Application['destination'],
    objects: readonly ObjectName[],
  ): Promise<LeftObject[]>;
  /** Why it is not healthy, in at most 6,000 characters; what containers wrote is kept apart. Never throws. */
  explain(name: string, keep: KeepLog): Promise<string>;
  /** Sync windows of an AppProject. */
  syncWindows(project: string): Promise<SyncWindow[]>;
  /** Options that Argo CD gives to every `kustomize build`. */
  kustomizeBuildOptions(): Promise<string[]>;
  close(): void;
}

/** What is known of one Application at a moment. */
export interface Sighting {
  /** Undefined when there is none. */
  application?: Application | undefined;
  /** Why the cluster cannot be asked right now; `application` is then what was known last. */
  unreachable?: string | undefined;
  /** What was thrown, then. */
  cause?: unknown;
}

/** A sync to ask for: at exactly these revisions, and for the rest as the Application's own sync policy says. */
export interface SyncRequest {
  /** UUID; the same one again finds the operation that it started. */
  id: string;
  /** One a source: of Git a commit, of Helm a chart's version. */
  revisions: readonly string[];
  prune: boolean;
  /** Only these; then Argo CD runs no hooks, takes no note in its history, and tries again as often as is said here. */
  resources?: readonly SyncResource[];
  /** How often it is tried again when the policy does not say. */
  retries: number;
  /** For people who read the operation: which change it brings. */
  reason: string;
}

/** How often Argo CD itself tries a sync again that it started, when the policy does not say. */
export const automatedRetries = 5;

export interface SyncResource {
  group: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}

export type Started =
  /** Ours: asked for, running or ended. */
  | { state: 'ours' }
  /** Another one comes first. `id` is set when it is one of this program's. */
  | { state: 'busy'; by: string; id?: string | undefined; startedAt?: number | undefined }
  | { state: 'absent' }
  /** Argo CD would take the branch's head of a source for which no revision is named. */
  | { state: 'unfit'; sources: number };

/** An object that belongs to an Application. `group` and `namespace` are empty where it has none. */
export interface HeldObject {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  /** The manifests that Argo CD compared with do not have it. */
  requiresPruning: boolean;
}

/** An object that an Application deployed, and that is still there. */
export interface LeftObject {
  /** `Deployment/orders in bakery-dev` */
  name: string;
  isGoing: boolean;
}

/** An Application's pods are in another cluster, which cannot be looked into. */
export class UnseenCluster extends SystemError {}

/** The manifest is not the one that was meant, or none of an Argo CD that can be recreated. */
export class WrongManifest extends SystemError {
  override readonly lasting = true;
}
