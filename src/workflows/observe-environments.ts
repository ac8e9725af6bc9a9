import type { Observed, ObserveActivities } from '../activities/contract.ts';
import { observationSchema, type Observation } from '../model/temporal/input-schemas.ts';
import { activitiesOn } from './activity-options.ts';
import { checkedInput } from './input-checks.ts';

/**
 * What some environments run now. Workers see the cluster; who asks sees Temporal only. Somebody looks at a screen, so there
 * is one try.
 */
export async function observeEnvironments(input: Observation): Promise<Observed[]> {
  const { platform, places } = checkedInput(observationSchema, input);
  const { observe }: Pick<ObserveActivities, 'observe'> = activitiesOn(
    'wait',
    { platform },
    {
      scheduleToCloseTimeout: '6 seconds',
      retry: { maximumAttempts: 1 },
    },
  );
  return observe({ places });
}
