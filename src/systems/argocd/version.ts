import { z } from 'zod';
import type { Kubernetes } from '../kubernetes/index.ts';
import { versionInTag } from './manifest.ts';

const workloadsSchema = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
      }),
    }),
  ),
});

/** The version of Argo CD, as the tag of its controller's image has it; undefined where it has none. */
export async function argoCdVersion(kubernetes: Kubernetes, namespace: string): Promise<string | undefined> {
  const labelSelector = 'app.kubernetes.io/name=argocd-application-controller';
  for (const resource of ['statefulsets', 'deployments']) {
    const path = `/apis/apps/v1/namespaces/${namespace}/${resource}`;
    const { items } = workloadsSchema.parse(await kubernetes.get(path, { labelSelector }));
    const images = items.flatMap(({ spec }) => spec.template.spec.containers.map(({ image }) => image));
    const tag = images.map(versionInTag).find(Boolean);
    if (tag !== undefined) return tag;
  }
  return undefined;
}
