import type { AllActivities } from './world.ts';
import type { Queue } from '../../src/model/temporal/task-queues.ts';
import type { Run } from './histories.ts';
import { pointOf } from './meddling.ts';

/**
 * Whose workers do what; trust is split by it. What is done to an environment is done by its own: production's by
 * `production`, which alone has its credentials.
 */
export const contractQueues: Record<keyof AllActivities, Queue | "the environment's"> = {
  verifyChange: 'delivery',
  resolveChanges: 'delivery',
  findPosition: 'delivery',
  askEnvironment: 'delivery',
  withdrawAsk: 'delivery',
  recallEnvironment: 'delivery',
  rememberEnvironment: 'delivery',
  forgetEnvironment: 'delivery',
  recordDelivery: 'delivery',
  lookAtRepository: 'delivery',
  rememberRepository: 'delivery',

  // Code that anybody with a branch wrote.
  testService: 'build',
  buildImage: 'build',
  adoptImage: 'build',
  runEndToEnd: 'build',

  readRelease: "the environment's",
  writeRelease: "the environment's",
  openPullRequest: "the environment's",
  readPullRequest: "the environment's",
  mergePullRequest: "the environment's",
  closePullRequest: "the environment's",
  readSettings: "the environment's",
  previewRelease: "the environment's",
  renderRelease: "the environment's",
  previewOverlay: "the environment's",
  previewRemoval: "the environment's",
  removeApplication: "the environment's",

  startSync: 'production',
  storeBackup: 'production',

  awaitHealthy: 'wait',
  observe: 'wait',

  // Where the backups' key is.
  verifyBackup: 'recovery',
  compareBackups: 'recovery',
  checkRecreation: 'recovery',
  installArgoCd: 'recovery',
  restoreBackup: 'recovery',
  startArgoCd: 'recovery',
  syncFrame: 'recovery',
  syncWave: 'recovery',
  restoreAutomation: 'recovery',
  reportRecreation: 'recovery',
  finishRecreation: 'recovery',
};

/** Where an activity of an environment's workflow belongs, or of another workflow, which has none. */
function queueOf(activity: string, environment: string | undefined): Queue | undefined {
  const queue = contractQueues[activity as keyof AllActivities];
  if (queue !== "the environment's") return queue;
  return environment === undefined ? undefined : environment === 'production' ? 'production' : 'delivery';
}

/** Activities that were put on a queue where they do not belong. */
export const misroutedIn = ({ workflowId, history }: Run): string[] =>
  (history.events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => {
    if (!scheduled) return [];
    const [platform, kind, environment] = workflowId.split('/');
    const activity = scheduled.activityType?.name ?? '';
    const belongs = queueOf(activity, kind === 'environment' ? environment : undefined);
    const queue = scheduled.taskQueue?.name;
    if (queue === `${platform}/${belongs}`) return [];
    return `${pointOf(workflowId, activity)} is on ${queue}, and belongs on ${belongs}`;
  });
