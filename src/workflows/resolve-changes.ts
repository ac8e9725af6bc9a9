import { proxyActivities } from '@temporalio/workflow';
import type { SourceActivities } from '../activities/contract.ts';
import type { Change } from '../model/delivery/change.ts';
import { rangeSchema, type Range } from '../model/temporal/input-schemas.ts';
import { checkedInput } from './input-checks.ts';
import { usualSilence } from '../model/temporal/silence.ts';

/**
 * Which changes some commits made. Workers have the repository, whole; whoever asks may have a shallow clone or none.
 * Starts nothing. Somebody waits at a prompt or in a CI job, so an outage ends it within minutes.
 */
export async function resolveChanges(input: Range): Promise<{ change: Change; subject: string }[]> {
  const range = checkedInput(rangeSchema, input);
  const { resolveChanges: resolve } = proxyActivities<SourceActivities>({
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '3 minutes',
    heartbeatTimeout: usualSilence.exchangeMs,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
  });
  return resolve(range);
}
