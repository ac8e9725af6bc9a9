import { activityInfo } from '@temporalio/activity';
import type { Target } from '../../model/recovery/recreation.ts';
import { listOwned } from '../../systems/kubernetes/list.ts';
import { readMarker, writeMarker, type FoundMarker, type Stage } from '../../systems/argocd/marker.ts';
import { namespaceState } from '../../systems/kubernetes/namespaces.ts';
import { isOpen, ownRunIsOpen } from '../../systems/temporal/runs.ts';
import { refused } from '../failures.ts';
import type { RecreationSystems } from './systems.ts';

type Systems = Pick<RecreationSystems, 'config' | 'temporal' | 'clusterOf'>;

/** So long an answer of the cluster and of Temporal is believed where thousands of objects are made. */
const lately = 1000;

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
  if ((await kubernetes.get('/apis/argoproj.io/v1alpha1')) !== undefined) {
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

/**
 * The marker of this recreation, by which each change is allowed.
 *
 * @throws Refused: it is gone or another's, or the recreation is not open any more
 */
export async function ownMarker(systems: Systems, target: Target): Promise<FoundMarker> {
  const [marker, open] = await Promise.all([
    readMarker(systems.clusterOf(target), systems.config.argocd.namespace),
    ownRunIsOpen(systems.temporal),
  ]);
  if (!open) throw refused('This recreation is not open any more: nothing is changed in its name.');
  if (marker?.recreation === target.recreation) return marker;
  const by = marker ? `is being built by ${marker.workflow}` : 'is not noted as one that is being built';
  throw refused(`${target.cluster} ${by}: this recreation changes nothing any more.`);
}

/** Asked before each change that is right at this stage only. @throws Refused */
export function guardOf(
  systems: Systems,
  target: Target,
  stage: Stage,
): (asked?: 'now' | 'lately') => Promise<void> {
  let asking: { at: number; answer: Promise<void> } | undefined;
  const ask = async (): Promise<void> => {
    const { stage: found } = await ownMarker(systems, target);
    if (found !== stage) {
      throw refused(
        `${target.cluster} is past the stage ${stage}: this attempt comes late, and changes nothing.`,
      );
    }
  };
  return (asked = 'now') => {
    if (asked === 'now' || !asking || Date.now() - asking.at > lately) {
      asking = { at: Date.now(), answer: ask() };
    }
    return asking.answer;
  };
}

/** Writes the marker in the place of the one that was found. @throws Error: somebody else was faster, so look again */
export async function mark(
  systems: Systems,
  target: Target,
  stage: Stage,
  before: FoundMarker | undefined,
): Promise<FoundMarker> {
  const { recreation, drill, cluster } = target;
  const { workflowId: workflow = '' } = activityInfo().workflowExecution ?? {};
  const { namespace } = systems.config.argocd;
  const kubernetes = systems.clusterOf(target);
  const written = await writeMarker(kubernetes, namespace, { recreation, workflow, drill, stage }, before);
  if (!written) throw new Error(`Somebody else noted something about ${cluster} in the same moment.`);
  return written;
}
