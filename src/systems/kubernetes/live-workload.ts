import { z } from 'zod';
import { containerImages } from '../../model/manifests.ts';
import type { LiveContainer, LiveWorkload } from '../../model/promotion/running-image.ts';
import type { Kubernetes } from './index.ts';
import { labelSelectorOf, podsPath, workloadPath, type Workload } from './pods.ts';

const statuses = z.array(z.object({ name: z.string(), imageID: z.string().optional() })).default([]);
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().default(false) }))
      .default([]),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      initContainerStatuses: statuses,
      containerStatuses: statuses,
    })
    .prefault({}),
});
type Pod = z.infer<typeof podSchema>;
const pageSize = 100;
const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(podSchema),
});

const rolloutSchema = z.object({ status: z.object({ currentPodHash: z.string().optional() }).prefault({}) });
/** After it has switched over, a Rollout keeps the pods of before for a while. */
const rolloutHash = 'rollouts-pod-template-hash';

/**
 * What a workload has its pods run, and what they run. A CronJob's pods are as its template was when they began.
 *
 * @returns undefined when it is not there
 * @throws KubernetesError, ZodError
 */
export async function readLiveWorkload(
  kubernetes: Kubernetes,
  workload: Workload,
): Promise<LiveWorkload | undefined> {
  const found = await kubernetes.get(workloadPath(workload));
  if (found === undefined) return undefined;
  const pods: LiveWorkload['pods'] = [];
  if (workload.kind !== 'CronJob') {
    const { currentPodHash } = rolloutSchema.parse(workload.kind === 'Rollout' ? found : {}).status;
    for await (const pod of allPods(kubernetes, workload.namespace, labelSelectorOf(found))) {
      const { name, labels } = pod.metadata;
      const isPrevious = currentPodHash !== undefined && labels[rolloutHash] !== currentPodHash;
      if (isCurrent(pod) && isOf(workload, pod) && !isPrevious) {
        pods.push({ name, containers: containersOf(pod) });
      }
    }
  }
  return { template: containerImages(found), pods };
}

async function* allPods(
  kubernetes: Kubernetes,
  namespace: string,
  labelSelector: string,
): AsyncGenerator<Pod> {
  let more: string | undefined;
  do {
    const query = { labelSelector, limit: pageSize, ...(more && { continue: more }) };
    const page = pageSchema.parse(await kubernetes.get(podsPath(namespace), query));
    yield* page.items;
    more = page.metadata.continue;
  } while (more);
}

const isCurrent = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && !['Succeeded', 'Failed'].includes(status.phase);

/** Pods of a Job may have the same labels. A ReplicaSet is called after what made it. */
function isOf({ kind, name }: Workload, { metadata: { labels, ownerReferences } }: Pod): boolean {
  const owner = ownerReferences.find(({ controller }) => controller);
  if (owner?.kind !== 'ReplicaSet') return owner?.kind === kind && owner.name === name;
  return owner.name === `${name}-${labels[rolloutHash] ?? labels['pod-template-hash']}`;
}

function containersOf({ spec, status }: Pod): LiveContainer[] {
  const all = [...status.initContainerStatuses, ...status.containerStatuses];
  return containerImages(spec).map((container) => ({
    ...container,
    imageId: all.find(({ name }) => name === container.container)?.imageID,
  }));
}
