import { proxyActivities } from '@temporalio/workflow';
import type { SourceActivities } from '../activities/types.ts';
import type { Change } from '../model/change.ts';
import { silence } from './proxies.ts';

export interface ResolveChangesInput {
  since: string;
  until?: string;
}

/**
 * Which changes some commits made. Workers have the repository, whole; whoever asks may have a shallow clone or none.
 * Starts nothing. Somebody waits at a prompt or in a CI job, so an outage ends it within minutes.
 */
export function resolveChanges(input: ResolveChangesInput): Promise<{ change: Change; subject: string }[]> {
  const { resolveChanges: resolve } = proxyActivities<SourceActivities>({
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '3 minutes',
    heartbeatTimeout: silence,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
  });
  return resolve(input);
}
