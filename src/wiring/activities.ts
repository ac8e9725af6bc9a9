import { createAskActivities } from '../activities/delivery/ask-environment.ts';
import { createBackupActivities } from '../activities/backup/store.ts';
import { createBuildActivities, createSourceActivities } from '../activities/delivery/index.ts';
import { createObserveActivities } from '../activities/sync/observe.ts';
import { createPromotionActivities } from '../activities/promotion/index.ts';
import { createWaitActivities } from '../activities/sync/await-healthy.ts';
import { createRecordActivities } from '../activities/delivery/records.ts';
import { createRecoveryActivities } from '../activities/backup/index.ts';
import { createRecreationActivities } from '../activities/recreation/index.ts';
import type { Served } from '../activities/contract.ts';
import { createRepositoryPollActivities } from '../activities/delivery/repository-poll.ts';
import { createSyncActivities } from '../activities/sync/start-sync.ts';
import type { Queue } from '../model/temporal/task-queues.ts';
import type { Reached } from './needed-secrets.ts';

/** What is done where: a queue's workers can do nothing else, whatever a workflow asks of them. */
export const activitiesOf: {
  [Q in Queue]: (systems: Reached<Q>, workDirectory: string) => Served[Q];
} = {
  build: ({ config, repository, sourceOf, objects, images, commands }, workDirectory) =>
    createBuildActivities({ config, repository, sourceOf, objects, images, commands, workDirectory }),
  delivery: (systems, workDirectory) => ({
    ...createPromotionActivities(systems, workDirectory),
    ...createSourceActivities(systems),
    ...createRecordActivities(systems),
    ...createRepositoryPollActivities(systems),
    ...createAskActivities({ platform: systems.config.platform, temporal: systems.temporal }),
  }),
  production: (systems, workDirectory) => ({
    ...createPromotionActivities(systems, workDirectory),
    ...createSyncActivities(systems, workDirectory),
    ...createBackupActivities(systems, systems.scratch),
  }),
  recovery: (systems) => ({
    ...createRecoveryActivities(systems, systems.scratch),
    ...createRecreationActivities(systems),
  }),
  wait: (systems, workDirectory) => ({
    ...createWaitActivities(systems, workDirectory),
    ...createObserveActivities(systems),
  }),
};
