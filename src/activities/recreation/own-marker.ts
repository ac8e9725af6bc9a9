import { activityInfo } from '@temporalio/activity';
import type { Target } from '../../model/recovery/recreation.ts';
import {
  readMarker,
  writeMarker,
  type FoundMarker,
  type Stage,
} from '../../systems/argocd/recreation-marker.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import { refused } from '../failures.ts';
import type { RecreationSystems } from './systems.ts';

type Systems = Pick<RecreationSystems, 'config' | 'temporal' | 'clusterOf'>;

/** Milliseconds. Where thousands of objects are made, neither the cluster nor Temporal is asked again sooner. */
const lately = 1000;

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
