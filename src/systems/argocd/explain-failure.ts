import { z } from 'zod';
import { resourceName } from '../../model/argocd/application.ts';
import { isErrorCondition } from '../../model/argocd/application-health.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { explainPods, makesPods, type KeepLog, type Workload } from '../kubernetes/pods.ts';
import { objectPath, Resources } from '../kubernetes/resources.ts';
import { errorText } from '../system-error.ts';
import { destinationSchema, resourceSchema } from './application.ts';
import { inDestination, type Home } from './destination.ts';
import { driftedFields } from './drift.ts';
import { UnseenCluster } from './index.ts';

/** An explanation ends up in a workflow's history and in a terminal. */
const maxLength = 6000;
const resourceLimit = 5;

const resource = z.object({ kind: z.string(), namespace: z.string().default(''), name: z.string() });
const explainable = z.object({
  spec: z.object({
    destination: destinationSchema.extend({ namespace: z.string().default('') }),
  }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), message: z.string() })).nullish(),
      resources: z.array(resourceSchema.extend({ namespace: z.string().default('') })).nullish(),
      operationState: z
        .object({
          phase: z.string(),
          message: z.string().optional(),
          syncResult: z
            .object({
              resources: z
                .array(
                  resource.extend({
                    status: z.string().optional(),
                    message: z.string().optional(),
                    // Set for hooks only; a phase is there for every resource.
                    hookType: z.string().optional(),
                    hookPhase: z.string().optional(),
                  }),
                )
                .nullish(),
            })
            .nullish(),
        })
        .nullish(),
    })
    .default({}),
});
type Explainable = z.infer<typeof explainable>;
type ExplainedResource = NonNullable<Explainable['status']['resources']>[number];

/**
 * What a person would look for when an Application does not become healthy: Argo CD's own errors, the resources that
 * failed, and the pods behind them. Never throws: it says what could not be read. What containers wrote is not in it, only
 * where that is kept.
 *
 * @param path of the Application
 */
export async function explain(home: Home, path: string, keep: KeepLog): Promise<string> {
  const lines: string[] = [];
  try {
    const raw = await home.kubernetes.get(path);
    if (raw === undefined) return 'The Application does not exist.';
    const application = explainable.parse(raw);
    lines.push(...whatArgoCdSays(application), ...(await failedResources(application, keep)));
    lines.push(...(await whatTheClusterSays(home, application, keep)));
  } catch (error) {
    lines.push(`(More cannot be read: ${errorText(error)})`);
  }
  const text = lines.join('\n');
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function whatArgoCdSays({ status }: Explainable): string[] {
  const { phase, message } = status.operationState ?? {};
  const errors = (status.conditions ?? []).filter(isErrorCondition);
  return [
    ...(phase === undefined || phase === 'Succeeded' ? [] : [`Sync ${phase}: ${message ?? ''}`]),
    ...errors.map(({ type, message }) => `${type}: ${message}`),
  ];
}

/** For these kinds Argo CD's message quotes a container's termination message, which may be the end of its log. */
const quoting = new Set(['Pod', 'Workflow']);

async function failedResources({ status }: Explainable, keep: KeepLog): Promise<string[]> {
  const said = async ({ kind, name }: Workload, message: string): Promise<string> =>
    quoting.has(kind) ? `what it said: ${await keep(name, message)}` : message;
  const failed = (status.operationState?.syncResult?.resources ?? []).filter(
    ({ status, hookPhase }) => status === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error',
  );
  const unhealthy = (status.resources ?? []).filter(
    ({ health }) => health?.status !== undefined && health.status !== 'Healthy',
  );
  const troubled = [
    ...failed.map((resource) => ({ resource, state: undefined, message: resource.message ?? 'failed' })),
    ...unhealthy.map((resource) => ({
      resource,
      state: resource.health?.status,
      message: resource.health?.message,
    })),
  ];
  const lines: string[] = [];
  for (const { resource, state, message } of troubled.slice(0, resourceLimit)) {
    const told = message === undefined ? undefined : await said(resource, message);
    lines.push([resourceName(resource), state, told].filter((part) => part !== undefined).join(': '));
  }
  const more = troubled.length - resourceLimit;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

const advice =
  'What changes them after a sync will again: leave such a field out of the manifests (spec.replicas under an autoscaler), ' +
  "or name it in the Application's spec.ignoreDifferences, with RespectIgnoreDifferences=true in its syncOptions.";

/** Of the cluster that it deploys to. */
async function whatTheClusterSays(home: Home, application: Explainable, keep: KeepLog): Promise<string[]> {
  try {
    return await inDestination(home, application.spec.destination, async (kubernetes) => {
      const lines = await differences(kubernetes, application);
      for (const workload of workloadsOf(application)) {
        lines.push(...(await explainPods(kubernetes, workload, keep)));
      }
      return lines;
    });
  } catch (error) {
    if (!(error instanceof UnseenCluster)) throw error;
    const hasPods = (application.status.resources ?? []).some(makesPods);
    const unseen = `${error.message} Look there for its pods and their logs.`;
    return [...(await differences(undefined, application)), ...(hasPods ? [unseen] : [])];
  }
}

/** What is not as the manifests have it, and by which fields, as far as its cluster is seen. */
async function differences(
  kubernetes: Kubernetes | undefined,
  { spec: { destination }, status }: Explainable,
): Promise<string[]> {
  const different = (status.resources ?? []).filter(({ status: sync }) => sync === 'OutOfSync');
  const resources = kubernetes && new Resources(kubernetes);
  const lines: string[] = [];
  let drifted = false;
  for (const resource of different.slice(0, resourceLimit)) {
    const fields =
      kubernetes && resources
        ? await fieldsOf(kubernetes, resources, resource, destination.namespace).catch(() => [])
        : [];
    drifted ||= fields.length > 0;
    lines.push(
      [resourceName(resource), 'OutOfSync', describeDifference(resource, fields)].filter(Boolean).join(': '),
    );
  }
  const more = different.length - resourceLimit;
  if (more > 0) lines.push(`and ${more} more that are OutOfSync`);
  return drifted && status.operationState?.phase === 'Succeeded' ? [...lines, advice] : lines;
}

async function fieldsOf(
  kubernetes: Kubernetes,
  resources: Resources,
  { group = '', version = '', kind, namespace, name }: ExplainedResource,
  home: string,
): Promise<string[]> {
  const object = { apiVersion: group === '' ? version : `${group}/${version}`, kind, namespace, name };
  const found = await resources.find(object);
  return found ? driftedFields(await kubernetes.get(objectPath(found, object, home))) : [];
}

const describeDifference = ({ requiresPruning }: ExplainedResource, fields: string[]): string =>
  requiresPruning ? 'it is not in the manifests any more, and was not pruned' : fields.join('; ');

/** Troubled ones first. One whose pods crash is Healthy between two crashes. */
function workloadsOf({ status }: Explainable): Workload[] {
  const hooks = (status.operationState?.syncResult?.resources ?? []).filter(
    ({ hookType, hookPhase }) => hookType !== undefined && hookPhase !== 'Succeeded',
  );
  // Argo CD leaves health out of the Application unless it is told to keep it: then each may be the one.
  const rank = ({ health }: ExplainedResource) => (health?.status === 'Healthy' ? 1 : 0);
  const resources = (status.resources ?? []).toSorted((a, b) => rank(a) - rank(b));
  return [...hooks, ...resources].filter(makesPods).slice(0, resourceLimit);
}
