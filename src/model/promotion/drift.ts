import { isErrorCondition, isHealthy } from '../argocd/application-health.ts';
import { isUnfinished, type Application } from '../argocd/application.ts';
import { changeName, type Change } from '../delivery/change.ts';
import { runsNowhere } from './running-image.ts';

/** What was promoted into an environment last, as far as it can be compared with what is there. */
export interface Promoted {
  change: Change;
  /** Commit that holds the release, and the overlay beside it. */
  revision: string;
  /** Commit of a younger change that brought no more than its overlay. */
  overlay?: string;
  /** Digest of the image. */
  image?: string;
}

/** What Argo CD and the pods say of a service in an environment now. */
export interface Live {
  /** Argo CD's own words; `Missing` where there is no Application. */
  health: string;
  sync: string;
  /** Commit that was synced last. */
  revision?: string;
  drift?: Drift;
}

/** What is not as it was promoted, or not as it should be. */
export interface Drift {
  what: string;
  /** ISO 8601; absent where nobody knows. */
  since?: string;
  /** What to do about it. */
  remedy: string;
}

/** The release at the commit that was synced last. */
export interface Synced {
  /** Whether it is another one than was promoted. */
  differs: boolean;
  /** Absent where this program did not write it. */
  change?: Change;
  /** Whether only people's overlay beside it is another. */
  overlay?: boolean;
}

/**
 * @param name of the Application
 * @param promoted nothing where nothing of ours is there yet
 */
export function liveOf(
  name: string,
  application: Application | undefined,
  promoted: Promoted | undefined,
  synced: Synced,
): Live {
  if (!application) {
    const drift = {
      what: `Argo CD has no Application ${name} any more.`,
      remedy: 'Create it again, or remove the service.',
    };
    return { health: 'Missing', sync: 'Unknown', ...(promoted && { drift }) };
  }
  const { health, sync, deployedRevision } = application;
  const drift = driftOf(application, promoted, synced);
  return {
    health: health.status,
    sync: sync.status,
    ...(deployedRevision !== undefined && { revision: deployedRevision }),
    ...(drift && { drift }),
  };
}

/** The first that is wrong: causes stand before what follows from them. */
function driftOf(
  application: Application,
  promoted: Promoted | undefined,
  synced: Synced,
): Drift | undefined {
  const {
    name,
    deleting,
    conditions,
    deployedRevision = 'nothing',
    images,
    operation,
    sync,
    health,
  } = application;
  if (deleting) return { what: `${name} is being deleted.`, remedy: 'Create it again once it is gone.' };
  const error = conditions.find(isErrorCondition);
  if (error) {
    const what = `Argo CD cannot compare or sync ${name}: ${error.message}`;
    return { what, ...at(error.since), remedy: 'Correct what it names in the repository, and deliver that.' };
  }
  if (promoted && synced.differs) {
    const found = synced.change ? changeName(synced.change) : 'what nobody promoted';
    const instead = synced.overlay ? `${found} with another overlay` : found;
    const what = `Argo CD synced ${instead} (revision ${deployedRevision.slice(0, 10)}), not ${changeName(promoted.change)}, which was promoted last.`;
    return { what, ...at(operation?.finishedAt), remedy: bringBack(name, promoted) };
  }
  const digest = promoted?.image;
  if (promoted && digest !== undefined && runsNowhere(digest, images)) {
    const what = `Its pods run ${images.join(', ')}, not ${digest}, which was promoted: somebody changed them past Git.`;
    return { what, remedy: bringBack(name, promoted) };
  }
  if (operation && isUnfinished(operation)) return undefined;
  if (!isHealthy(application)) {
    const what = `${name} is ${health.status}${health.message === undefined ? '.' : `: ${health.message}`}`;
    const remedy = 'Look at its pods and events, and deliver a change that mends it.';
    return { what, ...at(health.since), remedy };
  }
  if (sync.status !== 'Synced') {
    const what = `The cluster does not hold what Git has for ${name} (${sync.status}): somebody changed either of them.`;
    const differs = `See what differs: argocd app diff ${name}.`;
    const remedy = application.automated
      ? `${differs} Then deliver, or sync it.`
      : `${differs} A commit of the branch that did not get in here is to be delivered, or reverted: a sync by hand would bring it past everybody who is to be asked.${promoted ? ` What somebody changed in the cluster: ${bringBack(name, promoted)}` : ''}`;
    return { what, remedy };
  }
  return undefined;
}

const at = (ms: number | undefined): { since?: string } =>
  ms === undefined ? {} : { since: new Date(ms).toISOString() };

/** A change that environments before this one have left behind does not come as far as here any more. */
const bringBack = (name: string, { change: { service, commit }, overlay, revision }: Promoted): string =>
  `Bring it back: gitops deliver --service ${service} --commit ${overlay ?? commit}. ` +
  `Where the environments before it have a newer change by now, deliver that one, or sync what was promoted once more: argocd app sync ${name} --revision ${revision}`;
