import type { ListedChange, ListedEnvironment, Listing } from '../client.ts';
import { isUnderWay } from '../model/promotion/promotion.ts';

/** What failed before that has been seen, or is told by what runs. */
const lateMs = 24 * 3_600_000;
/** What fits on a screen is shown whole. */
const fewEnvironments = 20;

export interface ShortListing extends Listing {
  /** How many are not in it. */
  leftOut: { changes: number; environments: number };
}

/** Of a long list what somebody may have to do something about: what is on its way, failed of late, or is not as it should be. */
export function inShort({ changes, environments, ...rest }: Listing, now: number): ShortListing {
  const someChanges = changes.filter((change) => isUnderWay(change) || failedOfLate(change, now));
  const someEnvironments =
    environments.length <= fewEnvironments ? environments : environments.filter(isUnusual);
  return {
    ...rest,
    changes: someChanges,
    environments: someEnvironments,
    leftOut: {
      changes: changes.length - someChanges.length,
      environments: environments.length - someEnvironments.length,
    },
  };
}

const failedOfLate = ({ state, finishedAt }: ListedChange, now: number): boolean =>
  ['failed', 'rejected'].includes(state) && now - Date.parse(finishedAt ?? '') < lateMs;

const isUnusual = (environment: ListedEnvironment): boolean =>
  isUnderWay(environment) || environment.state === 'failed' || environment.live?.drift !== undefined;
