import { join } from 'node:path';
import { createAskActivities } from '../activities/asks.ts';
import { createBackupActivities } from '../activities/backup.ts';
import { createBuildActivities } from '../activities/build.ts';
import { createWaitActivities } from '../activities/health.ts';
import { createPullRequestActivities } from '../activities/pull-requests.ts';
import { createRecordActivities } from '../activities/records.ts';
import { createRecoveryActivities, type Recovery } from '../activities/recovery.ts';
import { createReleaseActivities } from '../activities/release.ts';
import { createRenderActivities } from '../activities/render.ts';
import { createRepositoryPollActivities } from '../activities/repository-poll.ts';
import { createSettingsActivities } from '../activities/settings.ts';
import { createSourceActivities } from '../activities/source.ts';
import { createSyncActivities } from '../activities/sync.ts';
import type { Systems } from '../activities/systems.ts';
import type { Queue } from '../model/ids.ts';

function promotionActivities(systems: Systems, workDirectory: string) {
  const rendering = createRenderActivities(systems, workDirectory);
  return {
    ...createReleaseActivities(systems),
    ...createPullRequestActivities(systems, rendering),
    ...createSettingsActivities(systems),
    ...rendering,
  };
}

/** What is done where: a queue's workers can do nothing else, whatever a workflow asks of them. */
export const activitiesOf: Record<
  Queue,
  (systems: Systems & { recovery: Recovery }, workDirectory: string) => object
> = {
  build: ({ config, repository, objects, images, commands }, workDirectory) =>
    createBuildActivities({ config, repository, objects, images, commands, workDirectory }),
  delivery: (systems, workDirectory) => ({
    ...promotionActivities(systems, workDirectory),
    ...createSourceActivities(systems),
    ...createRecordActivities(systems),
    ...createRepositoryPollActivities(systems),
    ...createAskActivities({ platform: systems.config.platform, temporal: systems.temporal }),
  }),
  production: (systems, workDirectory) => ({
    ...promotionActivities(systems, workDirectory),
    ...createSyncActivities(systems),
    ...createBackupActivities(systems, join(workDirectory, 'backups')),
  }),
  recovery: (systems, workDirectory) => createRecoveryActivities(systems, join(workDirectory, 'backups')),
  wait: (systems) => createWaitActivities(systems),
};
