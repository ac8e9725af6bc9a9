import type { Application } from '../model/argocd/application.ts';
import { inDestination, type Home } from '../systems/argocd/destination.ts';
import { UnseenCluster } from '../systems/argocd/index.ts';
import type { Kubernetes } from '../systems/kubernetes/index.ts';
import { failed, ok, warning, type Finding } from './check.ts';
import { giveRole, lackingRights, type Right } from './rights.ts';

/** Whether we may see what runs where Applications deploy to: a promotion looks at it before it succeeds. */
export async function onPods(home: Home, destination: Application['destination']): Promise<Finding[]> {
  const { namespace = 'default', name: cluster = destination.server ?? '' } = destination;
  try {
    return await inDestination(home, destination, async (kubernetes) => {
      const isHere = kubernetes === home.kubernetes;
      return findings(kubernetes, namespace, isHere ? undefined : cluster);
    });
  } catch (error) {
    if (!(error instanceof UnseenCluster)) throw error;
    const { fact, advice = 'Correct that, if it can be.' } = error;
    return [warning(`pods in ${namespace} of cluster ${cluster}`, `${fact} ${unseen}`, advice)];
  }
}

const unseen = 'So what Argo CD says of their images counts, and failures go unexplained.';
const kinds = ['deployments', 'statefulsets', 'daemonsets'];

async function findings(
  kubernetes: Kubernetes,
  namespace: string,
  cluster: string | undefined,
): Promise<Finding[]> {
  const name = `pods in ${namespace}${cluster === undefined ? '' : ` of cluster ${cluster}`}`;
  const core = { namespace, group: '' };
  const lacking = (rights: Right[]) => lackingRights(kubernetes, rights);
  const [pods, workloads, logs] = await Promise.all([
    lacking([{ ...core, resource: 'pods', verb: 'list' }]),
    lacking([
      ...kinds.map((resource) => ({ namespace, group: 'apps', resource, verb: 'get' })),
      { namespace, group: 'batch', resource: 'cronjobs', verb: 'get' },
    ]),
    lacking([{ ...core, resource: 'pods', subresource: 'log', verb: 'get' }]),
  ]);
  const found: Finding[] = [];
  if (pods.length > 0 && cluster === undefined) {
    const detail = `We may not ${pods.join(', ')}: which image runs cannot be seen, so no promotion succeeds.`;
    found.push(failed(name, detail, giveRole));
  } else if (pods.length > 0) {
    found.push(warning(name, `We may not ${pods.join(', ')}. ${unseen}`, giveRole));
  }
  if (workloads.length > 0) {
    const detail = `We may not ${workloads.join(', ')}: of a service with one it cannot be seen which image runs.`;
    found.push(warning(name, detail, giveRole));
  }
  if (logs.length > 0) {
    found.push(warning(name, `We may not ${logs.join(', ')}: failures go unexplained.`, giveRole));
  }
  return found.length > 0 ? found : [ok(name, 'We may see what they run.')];
}
