import { z } from 'zod';
import { revisionsOf } from '../../model/recovery/backup-contents.ts';
import type { Found } from '../../model/recovery/recovery-outcome.ts';
import { argoProjPath } from '../../systems/argocd/api-paths.ts';
import { parseApplication } from '../../systems/argocd/application.ts';
import { listAll } from '../../systems/kubernetes/list.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';

const liveSchema = z.object({
  status: z
    .object({
      sync: z
        .object({
          status: z.string().optional(),
          revision: z.string().optional(),
          revisions: z.array(z.string()).nullish(),
        })
        .optional(),
      history: z.array(z.looseObject({ deployedAt: z.string().optional() })).nullish(),
      summary: z.object({ images: z.array(z.string()).nullish() }).optional(),
    })
    .optional(),
});

/**
 * Applications as they are now, by `<namespace>/<name>`.
 *
 * @param since in milliseconds: a history from before is restored, and nothing of it runs
 */
export async function liveApplications(
  kubernetes: Kubernetes,
  namespaces: Iterable<string>,
  since: number,
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const namespace of namespaces) {
    const path = argoProjPath(namespace, 'applications');
    for await (const object of listAll(kubernetes, path)) {
      const { sync, history, summary } = liveSchema.parse(object).status ?? {};
      const deployed = (history ?? []).filter(({ deployedAt = '' }) => Date.parse(deployedAt) >= since);
      found.set(`${namespace}/${object.metadata.name}`, {
        application: parseApplication(object),
        runs: revisionsOf({ ...object, status: { sync, history: deployed } }),
        compared: sync?.revisions ?? [sync?.revision ?? ''],
        images: summary?.images ?? [],
      });
    }
  }
  return found;
}
