import { z } from 'zod';
import type { Application } from '../../model/argocd/application.ts';
import type { SyncWindow } from '../../model/argocd/sync-windows.ts';
import { parseApplication } from './application.ts';
import { explain } from './explain.ts';
import type { KeepLog } from '../kubernetes/pods.ts';
import { createKubernetes, KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import {
  startOperation,
  terminateOperation,
  type Started,
  type SyncRequest,
  type SyncResource,
} from './operations.ts';
import { ApplicationWatch, type Sighting } from './watch.ts';

export type { Sighting, SyncRequest, SyncResource };

/** Argo CD through the Kubernetes API of the cluster that it lives in. Every method may throw KubernetesError. */
export interface ArgoCd {
  /** As it is now, or undefined when there is none. */
  application(name: string): Promise<Application | undefined>;
  /**
   * From the process's one shared watch: now, at every change and at the latest every `everyMs`, until the signal aborts
   * (its reason is thrown) or the loop is left.
   */
  changes(name: string, everyMs: number, signal: AbortSignal): AsyncGenerator<Sighting, never>;
  /** Lets Argo CD look at the branch's head at once; no Application is no error. */
  refresh(name: string): Promise<void>;
  /** Safe to repeat: the same `id` finds what it started. Waits for nobody. */
  startOperation(name: string, request: SyncRequest): Promise<Started>;
  /** Ends the operation `id` if it is what runs; leaves any other alone. */
  terminate(name: string, id: string): Promise<void>;
  /** Why it is not healthy, in at most 6,000 characters; what containers wrote is kept apart. Never throws. */
  explain(name: string, keep: KeepLog): Promise<string>;
  /** Sync windows of an AppProject. */
  syncWindows(project: string): Promise<SyncWindow[]>;
  /** Options that Argo CD gives to every `kustomize build`. */
  kustomizeBuildOptions(): Promise<string[]>;
  close(): void;
}

const text = z.string().optional();
const names = z.array(z.string()).nullish();
const projectSchema = z.object({
  spec: z.object({
    syncWindows: z
      .array(
        z.object({
          kind: z.string().default(''),
          schedule: z.string().default(''),
          duration: z.string().default(''),
          timeZone: text,
          manualSync: z.boolean().optional(),
          andOperator: z.boolean().optional(),
          applications: names,
          namespaces: names,
          clusters: names,
          description: text,
        }),
      )
      .nullish(),
  }),
});
const configMapSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/** @param kubernetes by default `KUBECONFIG`, `~/.kube/config`, or the pod's service account */
export function createArgoCd({
  kubernetes = createKubernetes(),
  namespace,
}: {
  kubernetes?: Kubernetes;
  namespace: string;
}): ArgoCd {
  const home = `/apis/argoproj.io/v1alpha1/namespaces/${encodeURIComponent(namespace)}`;
  const applications = `${home}/applications`;
  const path = (name: string): string => `${applications}/${encodeURIComponent(name)}`;
  const watch = new ApplicationWatch(kubernetes, applications);

  return {
    async application(name) {
      const raw = await kubernetes.get(path(name));
      return raw === undefined ? undefined : parseApplication(raw);
    },
    changes: (name, everyMs, signal) => watch.changes(name, everyMs, signal),
    async refresh(name) {
      const annotations = {
        'argocd.argoproj.io/refresh': 'normal',
        // Tells one request from the next: without it, one that comes while Argo CD looks is taken for answered, or for
        // none at all where an earlier one was lost.
        'argocd.argoproj.io/refresh-timestamp': new Date().toISOString(),
      };
      await kubernetes.patch(path(name), { metadata: { annotations } }).catch((error: unknown) => {
        if (!(error instanceof KubernetesError && error.status === 404)) throw error;
      });
    },
    startOperation: (name, request) => startOperation(kubernetes, path(name), request),
    terminate: (name, id) => terminateOperation(kubernetes, path(name), id),
    explain: (name, keep) => explain(kubernetes, path(name), keep),
    async syncWindows(project) {
      const raw = await kubernetes.get(`${home}/appprojects/${encodeURIComponent(project)}`);
      return raw === undefined ? [] : (projectSchema.parse(raw).spec.syncWindows ?? []);
    },
    async kustomizeBuildOptions() {
      const raw = await kubernetes.get(
        `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/argocd-cm`,
      );
      const options =
        raw === undefined ? undefined : configMapSchema.parse(raw).data?.['kustomize.buildOptions'];
      return (options ?? '').split(/\s+/).filter((option) => option !== '');
    },
    close: () => watch.close(),
  };
}
