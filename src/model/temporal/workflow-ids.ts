import type { Change } from '../delivery/change.ts';

export const deliverId = (platform: string, { service, commit }: Change): string =>
  `${platform}/deliver/${service}/${commit}`;

export const environmentId = (platform: string, environment: string, service: string): string =>
  `${platform}/environment/${environment}/${service}`;

/** Of a question that workers answer: what there is to deliver. Each is asked anew, since the answer moves with the branch. */
export const resolveId = (platform: string, id: string): string => `${platform}/resolve/${id}`;

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

/** One look at what environments run. */
export const observeId = (platform: string, id: string): string => `${platform}/observe/${id}`;
