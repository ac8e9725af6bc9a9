import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import type { Kubernetes } from './index.ts';
import { namespacePath } from './namespaces.ts';

/** A Kubernetes object that makes pods. */
export interface Workload {
  kind: string;
  namespace: string;
  name: string;
}

/**
 * Takes what a container wrote, which may be anything, health data too: it belongs into no history.
 *
 * @param container names it, and its pod
 * @returns what the explanation says in its place
 */
export type KeepLog = (container: string, text: string) => Promise<string>;

/** Enough to see what is wrong; more of the same helps nobody. */
const podLimit = 2;
const logLines = 200;
const logBytes = 65_536;
/** After so long without another crash, Kubernetes too begins to count restarts anew. */
const crashMemoryMs = 10 * 60_000;
/** Longer lines than this are rare. */
const lineBytes = 4096;

const collections: Record<string, string> = {
  Deployment: 'apis/apps/v1',
  StatefulSet: 'apis/apps/v1',
  DaemonSet: 'apis/apps/v1',
  Job: 'apis/batch/v1',
  CronJob: 'apis/batch/v1',
  Rollout: 'apis/argoproj.io/v1alpha1',
};

/** A CronJob's pods are its Jobs'. */
export const makesPods = ({ kind }: { kind: string }): boolean =>
  kind === 'Pod' || (kind in collections && kind !== 'CronJob');

export const workloadPath = ({ kind, namespace, name }: Workload): string =>
  `/${collections[kind]}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;

const state = z.object({
  waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  terminated: z
    .object({ exitCode: z.number(), reason: z.string().optional(), finishedAt: z.string().optional() })
    .optional(),
});
const containerStatus = z.object({
  name: z.string(),
  ready: z.boolean().default(false),
  restartCount: z.number().default(0),
  state: state.default({}),
  lastState: state.default({}),
});
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .default([]),
      initContainerStatuses: z.array(containerStatus).default([]),
      containerStatuses: z.array(containerStatus).default([]),
    })
    .prefault({}),
});
type Pod = z.infer<typeof podSchema>;
type ContainerStatus = z.infer<typeof containerStatus>;

const workloadSchema = z.object({
  spec: z.object({
    selector: z.object({
      matchLabels: z.record(z.string(), z.string()).default({}),
      matchExpressions: z
        .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
        .default([]),
    }),
  }),
});
const podsSchema = z.object({ items: z.array(podSchema) });
const eventsSchema = z.object({
  items: z.array(
    z.object({
      reason: z.string().default(''),
      message: z.string().default(''),
      lastTimestamp: z.string().nullish(),
    }),
  ),
});

/**
 * What is wrong with the pods of a workload: state, exit code, restarts, the last warning, and where the end of the log is.
 *
 * @throws KubernetesError, ZodError
 */
export async function explainPods(
  kubernetes: Kubernetes,
  workload: Workload,
  keep: KeepLog,
): Promise<string[]> {
  const pods = (await podsOf(kubernetes, workload)).filter(isTroubled);
  const newest = pods.toSorted((a, b) =>
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  );
  const lines: string[] = [];
  for (const pod of newest.slice(0, podLimit)) {
    lines.push(...(await explainPod(kubernetes, workload, pod, keep)));
  }
  return lines;
}

export async function podsOf(kubernetes: Kubernetes, workload: Workload): Promise<Pod[]> {
  const { kind, namespace, name } = workload;
  const pods = podsPath(namespace);
  if (kind === 'Pod') {
    const pod = await kubernetes.get(`${pods}/${name}`);
    return pod === undefined ? [] : [podSchema.parse(pod)];
  }
  const found = await kubernetes.get(workloadPath(workload));
  if (found === undefined) return [];
  const query = { labelSelector: labelSelectorOf(found), limit: 100 };
  return podsSchema.parse(await kubernetes.get(pods, query)).items;
}

export const podsPath = (namespace: string): string => `${namespacePath(namespace)}/pods`;

/** By which a workload finds its pods. */
export function labelSelectorOf(workload: unknown): string {
  const { matchLabels, matchExpressions } = workloadSchema.parse(workload).spec.selector;
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  return [...equal, ...matchExpressions.map(requirement)].join(',');
}

function requirement({ key, operator, values }: { key: string; operator: string; values: string[] }): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

const containersOf = ({ status }: Pod): ContainerStatus[] => [
  ...status.initContainerStatuses,
  ...status.containerStatuses,
];

function isTroubled(pod: Pod): boolean {
  const { metadata, status } = pod;
  if (metadata.deletionTimestamp !== undefined || status.phase === 'Succeeded') return false;
  return status.phase !== 'Running' || status.containerStatuses.some((one) => !one.ready || crashed(one));
}

async function explainPod(
  kubernetes: Kubernetes,
  { namespace }: Workload,
  pod: Pod,
  keep: KeepLog,
): Promise<string[]> {
  const { name } = pod.metadata;
  const scheduling = pod.status.conditions.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  );
  const lines = [`Pod ${name}: ${scheduling?.message ?? pod.status.phase}`];
  for (const container of containersOf(pod).filter(hasTrouble)) {
    lines.push(`  container ${container.name}: ${describe(container)}`);
    const log = await lastLines(kubernetes, namespace, name, container).catch(() => '');
    if (log !== '') lines.push(`  its log: ${await keep(`${name}-${container.name}`, log)}`);
  }
  const warning = await lastWarning(kubernetes, namespace, name).catch(() => undefined);
  if (warning) {
    const { reason, message } = warning;
    const quotes = quoting.has(reason);
    const said = quotes ? `what it said: ${await keep(`${name}-warning`, message)}` : message.slice(0, 500);
    lines.push(`  last warning: ${reason}: ${said}`);
  }
  return lines;
}

/** Warnings in which the kubelet quotes what a command in a container said: of a probe, of a hook. */
const quoting = new Set(['Unhealthy', 'ProbeWarning', 'FailedPostStartHook', 'FailedPreStopHook']);

/** An init container that did its work is not ready, and all is well. */
const hasTrouble = (container: ContainerStatus): boolean =>
  crashed(container) || (!container.ready && container.state.terminated?.exitCode !== 0);

/** Between two crashes a container may be ready. */
function crashed({ lastState: { terminated } }: ContainerStatus): boolean {
  if (terminated === undefined || terminated.exitCode === 0) return false;
  return Date.now() - Date.parse(terminated.finishedAt ?? '') < crashMemoryMs;
}

function describe({ ready, state, lastState, restartCount }: ContainerStatus): string {
  const { waiting } = state;
  const now = ready ? 'runs again' : 'not ready';
  const ended = state.terminated ?? lastState.terminated;
  return [
    waiting ? [waiting.reason, waiting.message].filter(Boolean).join(': ') : now,
    ended && `exit code ${ended.exitCode}${ended.reason === undefined ? '' : ` (${ended.reason})`}`,
    restartCount > 0 && `${restartCount} restarts`,
  ]
    .filter(Boolean)
    .join(', ');
}

async function lastLines(
  kubernetes: Kubernetes,
  namespace: string,
  pod: string,
  { name, ready, state, restartCount }: ContainerStatus,
): Promise<string> {
  const log = await kubernetes.text(`${podsPath(namespace)}/${pod}/log`, {
    container: name,
    tailLines: logLines,
    // The server counts from the first of these lines, and the last are what matters: so cut here.
    limitBytes: logLines * lineBytes,
    previous: String((ready || state.waiting !== undefined) && restartCount > 0),
  });
  return stripVTControlCharacters(log).trimEnd().slice(-logBytes);
}

async function lastWarning(
  kubernetes: Kubernetes,
  namespace: string,
  pod: string,
): Promise<{ reason: string; message: string } | undefined> {
  const { items } = eventsSchema.parse(
    await kubernetes.get(`${namespacePath(namespace)}/events`, {
      fieldSelector: `involvedObject.name=${pod},type=Warning`,
      limit: 100,
    }),
  );
  const [last] = items.toSorted((a, b) => (b.lastTimestamp ?? '').localeCompare(a.lastTimestamp ?? ''));
  return last;
}
