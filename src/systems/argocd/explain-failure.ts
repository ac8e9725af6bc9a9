import { z } from 'zod';
import type { Kubernetes } from '../kubernetes/index.ts';
import { explainPods, makesPods, type KeepLog, type Workload } from '../kubernetes/pods.ts';
import { errorText } from '../system-error.ts';
import { isHere } from './destination.ts';

/** An explanation ends up in a workflow's history and in a terminal. */
const maxLength = 6000;
const resourceLimit = 5;

const resource = z.object({ kind: z.string(), namespace: z.string().default(''), name: z.string() });
const explainable = z.object({
  spec: z.object({ destination: z.object({ server: z.string().optional(), name: z.string().optional() }) }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), message: z.string() })).nullish(),
      resources: z
        .array(
          resource.extend({
            status: z.string().optional(),
            health: z.object({ status: z.string().optional(), message: z.string().optional() }).optional(),
          }),
        )
        .nullish(),
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

/**
 * What a person would look for when an Application does not become healthy: Argo CD's own errors, the resources that
 * failed, and the pods behind them. Never throws: it says what could not be read. What containers wrote is not in it, only
 * where that is kept.
 *
 * @param path of the Application
 */
export async function explain(kubernetes: Kubernetes, path: string, keep: KeepLog): Promise<string> {
  const lines: string[] = [];
  try {
    const raw = await kubernetes.get(path);
    if (raw === undefined) return 'The Application does not exist.';
    const application = explainable.parse(raw);
    lines.push(...whatArgoCdSays(application), ...(await failedResources(application, keep)));
    for (const workload of troubledWorkloads(application))
      lines.push(...(await explainPods(kubernetes, workload, keep)));
  } catch (error) {
    lines.push(`(More cannot be read: ${errorText(error)})`);
  }
  const text = lines.join('\n');
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function whatArgoCdSays({ status }: Explainable): string[] {
  const { phase, message } = status.operationState ?? {};
  const errors = (status.conditions ?? []).filter(({ type }) => type.endsWith('Error'));
  return [
    ...(phase === undefined || phase === 'Succeeded' ? [] : [`Sync ${phase}: ${message ?? ''}`]),
    ...errors.map(({ type, message }) => `${type}: ${message}`),
  ];
}

const nameOf = ({ kind, namespace, name }: Workload): string =>
  `${kind}/${name}${namespace === '' ? '' : ` in ${namespace}`}`;

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
  const different = (status.resources ?? []).filter(
    (resource) => resource.status === 'OutOfSync' && !unhealthy.includes(resource),
  );
  const troubled = [
    ...failed.map((resource) => ({ resource, state: undefined, message: resource.message ?? 'failed' })),
    ...unhealthy.map((resource) => ({
      resource,
      state: resource.health?.status,
      message: resource.health?.message,
    })),
    ...different.map((resource) => ({ resource, state: 'OutOfSync', message: undefined })),
  ];
  const lines: string[] = [];
  for (const { resource, state, message } of troubled.slice(0, resourceLimit)) {
    const told = message === undefined ? undefined : await said(resource, message);
    lines.push([nameOf(resource), state, told].filter((part) => part !== undefined).join(': '));
  }
  const more = troubled.length - resourceLimit;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

/** The pods of another cluster than this one are out of sight. */
function troubledWorkloads({ spec: { destination }, status }: Explainable): Workload[] {
  if (!isHere(destination)) return [];
  const hooks = (status.operationState?.syncResult?.resources ?? []).filter(
    ({ hookType, hookPhase }) => hookType !== undefined && hookPhase !== 'Succeeded',
  );
  // Argo CD leaves health out of the Application unless it is told to keep it: then each may be the one.
  const resources = (status.resources ?? []).filter(({ health }) => health?.status !== 'Healthy');
  return [...hooks, ...resources].filter(makesPods).slice(0, resourceLimit);
}
