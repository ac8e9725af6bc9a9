import { z } from 'zod';
import type { ResourceState } from '../../model/argocd/application.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { objectPath, Resources } from '../kubernetes/resources.ts';
import { destinationSchema, resourceSchema } from './application.ts';
import { inDestination, type Home } from './destination.ts';

/** So many objects are read at most: those with a health of their own are few. */
const limit = 50;

const applicationSchema = z.object({
  spec: z.object({
    destination: destinationSchema.extend({ namespace: z.string().default('') }),
  }),
  status: z.object({ resources: z.array(resourceSchema).nullish() }).prefault({}),
});

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().default(''),
  message: z.string().default(''),
});
const objectSchema = z.object({
  spec: z.object({ paused: z.boolean().optional(), suspend: z.boolean().optional() }).prefault({}),
  status: z
    .object({
      phase: z.string().optional().catch(undefined),
      message: z.string().optional().catch(undefined),
      conditions: z.array(conditionSchema).nullish().catch(undefined),
    })
    .prefault({}),
});
type LiveObject = z.infer<typeof objectSchema>;
type Condition = z.infer<typeof conditionSchema>;

/**
 * What of an Application is Degraded or Suspended, read from the objects themselves by Argo CD's rules: where it does not
 * keep their health in the Application, only its own API server knows it. What cannot be read is left out.
 *
 * @param kinds of Argo CD's own cluster
 * @param path of the Application
 * @throws KubernetesError, UnseenCluster
 */
export async function troubledResources(
  home: Home,
  kinds: Resources,
  path: string,
): Promise<ResourceState[]> {
  const raw = await home.kubernetes.get(path);
  if (raw === undefined) return [];
  const application = applicationSchema.parse(raw);
  return inDestination(home, application.spec.destination, (kubernetes) => {
    const resources = kubernetes === home.kubernetes ? kinds : new Resources(kubernetes);
    return troubledIn(kubernetes, resources, application);
  });
}

async function troubledIn(
  kubernetes: Kubernetes,
  resources: Resources,
  { spec, status }: z.infer<typeof applicationSchema>,
): Promise<ResourceState[]> {
  // Of the core group only pods, volumes and load balancers have a health, which is never one that passes or rests.
  const candidates = (status.resources ?? []).filter(({ group }) => group !== undefined && group !== '');
  const found: ResourceState[] = [];
  for (const { group = '', version = '', kind, namespace, name } of candidates.slice(0, limit)) {
    const named = { apiVersion: `${group}/${version}`, kind, namespace, name };
    const health = await healthOf(kubernetes, resources, named, spec.destination.namespace).catch(
      () => undefined,
    );
    if (health) found.push({ group, kind, namespace, name, health });
  }
  return found;
}

async function healthOf(
  kubernetes: Kubernetes,
  resources: Resources,
  object: Parameters<typeof objectPath>[1],
  namespace: string,
): Promise<ResourceState['health']> {
  const resource = await resources.find(object);
  const raw = resource && (await kubernetes.get(objectPath(resource, object, namespace)));
  return raw === undefined ? undefined : judge(object.kind, objectSchema.parse(raw));
}

/** @returns undefined of what is neither Degraded nor Suspended */
function judge(kind: string, { spec, status }: LiveObject): ResourceState['health'] {
  const conditions = status.conditions ?? [];
  const is = (type: string, value: string) => (condition: Condition) =>
    condition.type === type && condition.status === value;
  const suspended = { status: 'Suspended' };
  const degraded = (condition: Condition | undefined): ResourceState['health'] =>
    condition && { status: 'Degraded', message: condition.message };
  switch (kind) {
    case 'Deployment':
      if (spec.paused) return suspended;
      return degraded(conditions.find(({ reason }) => reason === 'ProgressDeadlineExceeded'));
    case 'Job':
      if (spec.suspend) return suspended;
      return degraded(conditions.find(is('Failed', 'True')));
    case 'CronJob':
      return spec.suspend ? suspended : undefined;
    case 'HorizontalPodAutoscaler':
      return degraded(conditions.find(({ reason }) => /^(Failed|Invalid)/.test(reason)));
    case 'Rollout':
      if (status.phase === 'Paused') return suspended;
      return status.phase === 'Degraded' ? { status: 'Degraded', message: status.message } : undefined;
    case 'ScaledObject':
    case 'ScaledJob':
      if (conditions.some(is('Paused', 'True'))) return suspended;
      return degraded(conditions.find(is('Ready', 'False')));
    default:
      return degraded(conditions.find(is('Ready', 'False')));
  }
}
