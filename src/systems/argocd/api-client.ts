import { z } from 'zod';
import { instanceName } from '../../model/argocd/tracking.ts';
import { argoProjApi, argoProjPath } from './api-paths.ts';
import { parseApplication, parseHeld } from './application.ts';
import { inDestination } from './destination.ts';
import { explain } from './explain-failure.ts';
import { createKubernetes } from '../kubernetes/api-client.ts';
import { isForbidden, isMissing, type Kubernetes } from '../kubernetes/index.ts';
import { readLiveWorkload } from '../kubernetes/live-workload.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';
import { Resources } from '../kubernetes/resources.ts';
import { bringerOf, leftObjects, removeApplication } from './remove-application.ts';
import { troubledResources } from './resource-health.ts';
import { startOperation, terminateOperation } from './sync-operation.ts';
import { ApplicationWatch } from './watch.ts';
import type { ArgoCd } from './index.ts';

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
const listSchema = z.object({ items: z.array(z.unknown()) });
const configMapSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/** @param kubernetes by default `KUBECONFIG`, `~/.kube/config`, or the pod's service account */
export function createArgoCd({
  kubernetes = createKubernetes(),
  namespace,
}: {
  kubernetes?: Kubernetes;
  namespace: string;
}): ArgoCd {
  /** Of `<namespace>/<name>`. */
  const placeOf = (qualified: string): { home: string; name: string } => {
    const [name = '', home = namespace] = qualified.split('/').toReversed();
    return { home, name };
  };
  const path = (qualified: string): string => {
    const { home, name } = placeOf(qualified);
    return argoProjPath(home, 'applications', name);
  };
  const watches = new Map<string, ApplicationWatch>();
  const watchOf = (home: string): ApplicationWatch => {
    const watch = watches.get(home) ?? new ApplicationWatch(kubernetes, argoProjPath(home, 'applications'));
    watches.set(home, watch);
    return watch;
  };
  const resources = new Resources(kubernetes);
  const home = { kubernetes, namespace };

  return {
    async application(name) {
      const raw = await kubernetes.get(path(name));
      return raw === undefined ? undefined : parseApplication(raw);
    },
    async namesakes(qualified) {
      const { home, name } = placeOf(qualified);
      const fieldSelector = `metadata.name=${name}`;
      const answer = await kubernetes
        .get(`${argoProjApi}/applications`, { fieldSelector })
        .catch((error: unknown) => {
          if (!isForbidden(error)) throw error;
        });
      const { items } = listSchema.parse(answer ?? { items: [] });
      return items.map(parseApplication).filter((found) => found.namespace !== home);
    },
    changes(qualified, everyMs, signal) {
      const { home, name } = placeOf(qualified);
      return watchOf(home).changes(name, everyMs, signal);
    },
    troubledResources: (name) => troubledResources(home, resources, path(name)),
    liveWorkloads: (destination, workloads) =>
      inDestination(home, destination, (cluster) =>
        Promise.all(workloads.map((workload) => readLiveWorkload(cluster, workload))),
      ),
    async refresh(name) {
      const annotations = {
        'argocd.argoproj.io/refresh': 'normal',
        // Tells one request from the next: without it, one that comes while Argo CD looks is taken for answered, or for
        // none at all where an earlier one was lost.
        'argocd.argoproj.io/refresh-timestamp': new Date().toISOString(),
      };
      await kubernetes.patch(path(name), { metadata: { annotations } }).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    },
    startOperation: (name, request) => startOperation(kubernetes, path(name), request),
    terminate: (name, operation) => terminateOperation(kubernetes, path(name), operation),
    async heldBy(name) {
      const raw = await kubernetes.get(path(name));
      return raw === undefined ? [] : parseHeld(raw);
    },
    bringerOf: (name) => bringerOf(kubernetes, path(name)),
    remove: (name, revision) => removeApplication(kubernetes, path(name), revision),
    leftOf: (qualified, destination, objects) => {
      const { home: at, name } = placeOf(qualified);
      const instance = instanceName({ name, namespace: at === namespace ? undefined : at });
      return inDestination(home, destination, (cluster) =>
        leftObjects(cluster, instance, objects, destination.namespace ?? ''),
      );
    },
    explain: (name, keep) => explain(home, path(name), keep),
    async syncWindows(project) {
      const raw = await kubernetes.get(argoProjPath(namespace, 'appprojects', project));
      return raw === undefined ? [] : (projectSchema.parse(raw).spec.syncWindows ?? []);
    },
    async kustomizeBuildOptions() {
      const raw = await kubernetes.get(`${namespacePath(namespace)}/configmaps/argocd-cm`);
      const options =
        raw === undefined ? undefined : configMapSchema.parse(raw).data?.['kustomize.buildOptions'];
      return (options ?? '').split(/\s+/).filter((option) => option !== '');
    },
    close() {
      for (const watch of watches.values()) watch.close();
    },
  };
}
