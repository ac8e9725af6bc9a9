import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { BackupDifference, BackupInput, RecoveryPoint } from '../model/recovery/backup.ts';
import { backupId } from '../model/temporal/workflow-ids.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import type { backUpArgoCd } from '../workflows/back-up-argo-cd.ts';
import type { compareBackups } from '../workflows/compare-backups.ts';
import type { verifyBackup } from '../workflows/verify-backup.ts';
import { inOurWords } from './errors.ts';
import { progressOf } from './progress.ts';

/** Called with what a backup waits for, whenever that changes. */
type Tell = (progress: string) => void;

/** Starts what is done with the backups of a cluster. Everything may throw GitopsError. */
export function createBackups(client: Client, of: BackupInput) {
  const { platform, cluster } = of;
  const shared = {
    taskQueue: taskQueue(platform, 'delivery'),
    typedSearchAttributes: [{ key: attributes.platform, value: platform }],
  };
  const idOf = (what: string) => `${platform}/${what}/${cluster}/${randomUUID().slice(0, 8)}`;

  return {
    /** Starts a backup, or finds the one that is under way. */
    start(): Promise<WorkflowHandle<typeof backUpArgoCd>> {
      return told(() =>
        client.workflow.start<typeof backUpArgoCd>('backUpArgoCd', {
          ...shared,
          workflowId: backupId(platform, cluster),
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [of],
          staticSummary: `backup of ${cluster}`,
        }),
      );
    },

    /** Waits for one: also one that is not counted as good is a result. */
    async finished(handle: WorkflowHandle<typeof backUpArgoCd>, tell: Tell): Promise<RecoveryPoint> {
      try {
        return await resultOf(client, handle, tell);
      } catch (error) {
        const failure = error instanceof WorkflowFailedError ? error.cause : undefined;
        const [point] = failure instanceof ApplicationFailure ? (failure.details ?? []) : [];
        if (failure instanceof ApplicationFailure && failure.type === 'NotGood')
          return point as RecoveryPoint;
        throw inOurWords(error);
      }
    },

    /** @param request.key the newest, when left out */
    verify(request: { key?: string; accept?: boolean }, tell: Tell): Promise<RecoveryPoint> {
      return told(async () => {
        const handle = await client.workflow.start<typeof verifyBackup>('verifyBackup', {
          ...shared,
          workflowId: idOf('verify-backup'),
          args: [{ ...of, ...request }],
        });
        return resultOf(client, handle, tell);
      });
    },

    compare(from: string, to: string, tell: Tell): Promise<BackupDifference> {
      return told(async () => {
        const handle = await client.workflow.start<typeof compareBackups>('compareBackups', {
          ...shared,
          workflowId: idOf('compare-backups'),
          args: [{ ...of, from, to }],
        });
        return resultOf(client, handle, tell);
      });
    },
  };
}

/** @throws GitopsError */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inOurWords(error);
  }
}

/** Often enough for a person who waits. */
const lookEveryMs = 2000;

/** A workflow's result; meanwhile, why its activities are tried again. */
async function resultOf<T>(
  client: Client,
  handle: WorkflowHandle<() => Promise<T>> | WorkflowHandle,
  tell: Tell,
): Promise<T> {
  const over = new AbortController();
  const look = async () => {
    for (let told: string | undefined; !over.signal.aborted;) {
      await sleep(lookEveryMs, undefined, { signal: over.signal });
      const progress = await progressOf(client, await handle.describe());
      if (progress !== undefined && progress !== told) tell(progress);
      told = progress;
    }
  };
  // It only tells; what is wrong with Temporal the result itself shows.
  look().catch(() => undefined);
  try {
    return (await handle.result()) as T;
  } finally {
    over.abort();
  }
}
