import { proxyActivities } from '@temporalio/workflow';
import type { SourceActivities } from '../activities/contract.ts';
import type { ResolvedChange } from '../model/delivery/change.ts';
import { selectionSchema, type Selection } from '../model/temporal/input-schemas.ts';
import { checkedInput } from './input-checks.ts';
import { usualSilence } from '../model/temporal/silence.ts';

/**
 * What there is to deliver: what some commits changed, every service, or one, if it is there. Workers have the
 * repository, whole; whoever asks may have a shallow clone or none. Starts nothing. Somebody waits at a prompt or in a CI
 * job, so an outage ends it within minutes.
 */
export async function resolveChanges(input: Selection): Promise<ResolvedChange[]> {
  const selection = checkedInput(selectionSchema, input);
  const { resolveChanges: resolve } = proxyActivities<SourceActivities>({
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '3 minutes',
    heartbeatTimeout: usualSilence.exchangeMs,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
  });
  return resolve(selection);
}
