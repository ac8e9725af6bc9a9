import type { Change } from './change.ts';

/** Where work is done; trust is split by these (DESIGN: tests and builds run other people's code). */
export type Queue = 'build' | 'delivery' | 'production' | 'recovery' | 'wait';
export const queues: readonly Queue[] = ['build', 'delivery', 'production', 'recovery', 'wait'];

export const taskQueue = (platform: string, queue: Queue): string => `${platform}/${queue}`;

export const deliverId = (platform: string, { service, commit }: Change): string =>
  `${platform}/deliver/${service}/${commit}`;

export const environmentId = (platform: string, environment: string, service: string): string =>
  `${platform}/environment/${environment}/${service}`;

/** The look at the repository; the Schedule of the same name adds a time to it. */
export const pollId = (platform: string): string => `${platform}/poll`;

/** The one backup of a cluster that may be under way. */
export const backupId = (platform: string, cluster: string): string => `${platform}/backup/${cluster}`;

/** Of the Schedule, which adds a time to it. */
export const nightlyBackupId = (platform: string, cluster: string): string =>
  `${platform}/nightly-backup/${cluster}`;

/** The rebuilding of a lost cluster. */
export const recreationId = (platform: string, cluster: string): string => `${platform}/recreate/${cluster}`;

/** A restore into the scratch control plane. */
export const drillId = (platform: string, cluster: string, id: string): string =>
  `${platform}/drill/${cluster}/${id}`;

/** Of the Schedule of drills, which adds a time to it. */
export const scheduledDrillId = (platform: string, cluster: string): string =>
  drillId(platform, cluster, 'scheduled');

/** Branch of a promotion's pull request; `forge` events are led back to the environment by it. */
export const promotionBranch = (environment: string, { service, commit }: Change): string =>
  `gitops/${environment}/${service}/${commit}`;

const branchPattern = /^gitops\/([a-z][a-z0-9-]*)\/([a-z][a-z0-9-]*)\/([0-9a-f]{40})$/;

/** The promotion that a branch belongs to, or undefined for anyone else's branch. */
export function parsePromotionBranch(branch: string): { environment: string; change: Change } | undefined {
  const [, environment, service, commit] = branchPattern.exec(branch) ?? [];
  return environment && service && commit ? { environment, change: { service, commit } } : undefined;
}

/** Keys in the object store: what outlives Temporal's histories. */
export const objectKeys = {
  repository: 'state/repository.json',
  environment: (environment: string, service: string) => `state/${environment}/${service}.json`,
  delivery: ({ service, commit }: Change) => `deliveries/${service}/${commit}.json`,
  build: ({ service, commit }: Change) => `builds/${service}/${commit}.json`,
  log: ({ service, commit }: Change, step: string, attempt: string) =>
    `logs/${service}/${commit}/${step}-${attempt}.log`,
  /** @param began ISO 8601 @param recreation its run ID */
  recreation: (cluster: string, began: string, recreation: string) =>
    `recreations/${cluster}/${began.slice(0, 10)}-${recreation.slice(0, 8)}.json`,
  /** @param digest of the diff itself */
  diff: (environment: string, { service, commit }: Change, digest: string) =>
    `diffs/${environment}/${service}/${commit}-${digest.slice(7, 19)}.diff`,
};
