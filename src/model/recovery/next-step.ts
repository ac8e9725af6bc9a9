import { isFailed, isUnfinished, type Application } from '../argocd/application.ts';
import { isFresh, isHealthy } from '../argocd/application-health.ts';

/**
 * What an Application is to run again: what its environment let in last, which may be younger than the backup, else
 * what it ran when the backup was made. Never the branch's head, which nobody may have approved.
 *
 * @param backedUp what the backup's index has: a revision a source; none for an Application that never ran anything
 * @param remembered the environment's, where an environment has this Application
 */
export function expectedRevisions(backedUp: readonly string[], remembered: string | undefined): string[] {
  // Environments know Applications of one source: of several, nobody could say which one is meant.
  return remembered === undefined || backedUp.length > 1 ? [...backedUp] : [remembered];
}

export type Step =
  /** Ask for the operation. */
  | 'start'
  /** Argo CD's look at it may be too old to be trusted. */
  | 'refresh'
  | 'wait'
  | 'done'
  /** What stands against it does not go away by waiting. */
  | 'give-up';

/** Towards the success of our operation. One that Argo CD lost is asked for again; somebody else's may end first. */
export function nextSyncStep(application: Application | undefined, operationId: string): Step {
  if (!application || application.deleting) return 'give-up';
  const { operation, requested } = application;
  if (requested || (operation && isUnfinished(operation))) return 'wait';
  if (operation?.id !== operationId) return 'start';
  return isFailed(operation) ? 'give-up' : 'done';
}

/**
 * Towards health, once our operation has succeeded. What was restored may claim it of what is not there: only a look
 * counts that Argo CD took since it runs again, and after the operation.
 *
 * @param startedAt when Argo CD began to run again, in milliseconds
 */
export function nextHealthStep(application: Application | undefined, startedAt: number): Step {
  if (!application || application.deleting) return 'give-up';
  const { operation, requested } = application;
  if (requested || (operation && isUnfinished(operation))) return 'wait';
  if ((application.reconciledAt ?? 0) < startedAt || !isFresh(application)) return 'refresh';
  // Argo CD misses some of the news of what becomes healthy: a definition, for one, until it looks again.
  return isHealthy(application) ? 'done' : 'refresh';
}
