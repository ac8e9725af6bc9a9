import { z } from 'zod';
import { revisionsOf } from '../../model/backup-form.ts';
import type { Found } from '../../model/recovered.ts';
import { parseApplication } from '../../systems/argocd/application.ts';
import { listAll } from '../../systems/argocd/export.ts';
import type { Kubernetes } from '../../systems/argocd/kubernetes.ts';

const liveSchema = z.object({
  status: z
    .object({
      sync: z
        .object({ revision: z.string().optional(), revisions: z.array(z.string()).nullish() })
        .optional(),
      summary: z.object({ images: z.array(z.string()).nullish() }).optional(),
    })
    .optional(),
});

/** Applications as they are now, by `<namespace>/<name>`. */
export async function liveApplications(
  kubernetes: Kubernetes,
  namespaces: Iterable<string>,
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const namespace of namespaces) {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;
    for await (const object of listAll(kubernetes, path)) {
      const { sync, summary } = liveSchema.parse(object).status ?? {};
      found.set(`${namespace}/${object.metadata.name}`, {
        application: parseApplication(object),
        runs: revisionsOf(object),
        compared: sync?.revisions ?? [sync?.revision ?? ''],
        images: summary?.images ?? [],
      });
    }
  }
  return found;
}
