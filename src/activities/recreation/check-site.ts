import { activityInfo } from '@temporalio/activity';
import type { Target } from '../../model/recovery/recreation.ts';
import { argoProjApi } from '../../systems/argocd/api-paths.ts';
import { readMarker, type FoundMarker } from '../../systems/argocd/recreation-marker.ts';
import { listOwned } from '../../systems/argocd/list-owned.ts';
import { namespaceState } from '../../systems/kubernetes/namespaces.ts';
import { isOpen } from '../../systems/temporal/runs.ts';
import { refused } from '../failures.ts';
import type { RecreationSystems } from './systems.ts';

type Systems = Pick<RecreationSystems, 'config' | 'temporal' | 'clusterOf'>;

/**
 * Looks whether this recreation may build where it is to, and reads only.
 *
 * @returns the marker of this recreation, or of one that is dead and whose half-built cluster is taken over
 * @throws Refused: a live cluster, or one that another recreation builds; KubernetesError
 */
export async function checkSite(systems: Systems, target: Target): Promise<FoundMarker | undefined> {
  const kubernetes = systems.clusterOf(target);
  const { namespace } = systems.config.argocd;
  const marker = await readMarker(kubernetes, namespace);
  if (marker) return checkMarker(systems, target, marker);
  if (target.drill) {
    await checkEmpty(systems, target);
    return undefined;
  }
  for await (const { metadata } of applications(systems, target)) {
    throw refused(
      `${target.cluster} is alive: it has Applications in ${namespace} (${metadata.name}), and no recreation made them. ` +
        'Only a lost cluster is recreated: KUBECONFIG is to name the empty one in its place.',
    );
  }
  return undefined;
}

async function checkMarker(
  { temporal }: Systems,
  { cluster, recreation, drill }: Target,
  marker: FoundMarker,
): Promise<FoundMarker> {
  if (marker.recreation === recreation) return marker;
  // Of all runs of one workflow at most one is open, and ours is.
  const own = activityInfo().workflowExecution?.workflowId === marker.workflow;
  if (!own && (await isOpen(temporal, { workflowId: marker.workflow }))) {
    throw refused(
      `${cluster} is being built already, by ${marker.workflow}. Wait for it, or terminate it first.`,
    );
  }
  if (drill && !marker.drill) {
    throw refused(
      `What drills restore into was half built as ${cluster} itself, by ${marker.workflow}: a drill would take that away. ` +
        'recreation.drill in gitops.yaml is to name a control plane that nobody needs.',
    );
  }
  return marker;
}

/** A drill takes away what it finds made: so it begins with nothing. */
async function checkEmpty({ config, clusterOf }: Systems, target: Target): Promise<void> {
  const kubernetes = clusterOf(target);
  const { namespace } = config.argocd;
  const other = 'Remove it, or let recreation.drill in gitops.yaml name an empty control plane.';
  if ((await namespaceState(kubernetes, namespace)) === 'there') {
    throw refused(`What drills restore into has a namespace ${namespace}, which no drill made. ${other}`);
  }
  if ((await kubernetes.get(argoProjApi)) !== undefined) {
    throw refused(
      `What drills restore into knows Argo CD's Applications already, and not from a drill. ${other}`,
    );
  }
}

/** @throws Refused: one of them is being deleted */
export async function checkNoneIsDeleted(systems: Systems, target: Target): Promise<void> {
  for await (const { metadata } of applications(systems, target)) {
    if (metadata.deletionTimestamp === undefined) continue;
    throw refused(
      `The Application ${metadata.name} in ${target.cluster} is being deleted: Argo CD would go on with that, and remove ` +
        'what it deployed. Let that end, or take its finalizers away, and start again.',
    );
  }
}

const applications = ({ config, clusterOf }: Systems, target: Target) =>
  listOwned(clusterOf(target), config.argocd.namespace, 'Application');
