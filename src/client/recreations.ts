import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { drillId, recreationId } from '../model/temporal/workflow-ids.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { recreationStatus } from '../model/temporal/messages.ts';
import type { Recreation } from '../model/recovery/recreation.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import type { BackupInput } from '../model/recovery/backup.ts';
import type { recreateCluster } from '../workflows/recreate-cluster.ts';
import { GitopsError, inOurWords, isPassing } from './errors.ts';
import { outageMs } from './watch.ts';
import { progressOf } from './progress.ts';
import { statusText } from './visibility.ts';

/** Often enough for a person who waits. */
const lookEveryMs = 1000;
/** A query of a worker that was just killed gets no answer; the next look comes soon. */
const answerWithinMs = 5000;

interface Request {
  /** The newest good backup, when left out. */
  key?: string;
  drill?: boolean;
  allowOlder?: boolean;
}

/** Starts the rebuilding of a cluster, and drills. Everything may throw GitopsError. */
export function createRecreations(client: Client, of: BackupInput) {
  const { platform, cluster } = of;
  /** Of several people who drill by hand, each sees the one drill. */
  const idOf = (drill: boolean) =>
    drill ? drillId(platform, cluster, 'by-hand') : recreationId(platform, cluster);

  return {
    /** Starts one, or finds the one that is under way, whatever that is made from. */
    async start({ drill = false, ...request }: Request): Promise<{ workflowId: string; joined: boolean }> {
      const workflowId = idOf(drill);
      try {
        await client.workflow.start<typeof recreateCluster>('recreateCluster', {
          workflowId,
          workflowIdConflictPolicy: 'FAIL',
          taskQueue: taskQueue(platform, 'delivery'),
          args: [{ ...of, drill, ...request }],
          typedSearchAttributes: [{ key: attributes.platform, value: platform }],
          staticSummary: `${drill ? 'drill for' : 'recreation of'} ${cluster}`,
        });
        return { workflowId, joined: false };
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return { workflowId, joined: true };
        throw inOurWords(error);
      }
    },

    /**
     * Waits until one has ended, and sits out ten minutes of Temporal's absence. How it ended is in what it returns.
     *
     * @param onChange called with what is known of it, whenever that has changed
     * @param signal ends the waiting, never the recreation; then it returns undefined
     * @throws GitopsError `refused`: a rule stands against it
     */
    async wait(
      workflowId: string,
      { onChange, signal }: { onChange: (seen: Recreation) => void; signal: AbortSignal },
    ): Promise<Recreation | undefined> {
      let seen: Recreation | undefined;
      for (let failingSince: number | undefined; !signal.aborted;) {
        try {
          const description = await look(client, workflowId);
          failingSince = undefined;
          if (description.status.name !== 'RUNNING') return await endOf(client, description, seen);
          const now = await statusOf(client, description);
          if (now && JSON.stringify(now) !== JSON.stringify(seen)) onChange((seen = now));
        } catch (error) {
          const said = inOurWords(error);
          failingSince ??= Date.now();
          if (!isPassing(said) || Date.now() - failingSince > outageMs) throw said;
        }
        await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
      }
      return undefined;
    },
  };
}

const look = (client: Client, workflowId: string): Promise<WorkflowExecutionDescription> =>
  client.withDeadline(Date.now() + answerWithinMs, () => client.workflow.getHandle(workflowId).describe());

/** @returns undefined when no worker answers: it is only asked again */
async function statusOf(
  client: Client,
  description: WorkflowExecutionDescription,
): Promise<Recreation | undefined> {
  try {
    const { workflowId, runId } = description;
    const recreation = await client.withDeadline(Date.now() + answerWithinMs, () =>
      client.workflow.getHandle(workflowId, runId).query(recreationStatus),
    );
    const progress = await progressOf(client, description);
    if (progress === undefined) return recreation;
    const phases = recreation.phases.map((phase) =>
      phase.state === 'running' ? { ...phase, progress } : phase,
    );
    return { ...recreation, phases };
  } catch {
    return undefined;
  }
}

/** @param seen what was known of it last, for one that had no time to say how it ended */
async function endOf(
  client: Client,
  description: WorkflowExecutionDescription,
  seen: Recreation | undefined,
): Promise<Recreation> {
  const { workflowId, runId, status } = description;
  try {
    return await client.workflow.getHandle<typeof recreateCluster>(workflowId, runId).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof ApplicationFailure) {
      const [recreation] = (cause.details ?? []) as Recreation[];
      if (cause.type !== 'Refused' && recreation) return recreation;
      throw new GitopsError('refused', cause.message, { cause: error });
    }
    const last = (await statusOf(client, description)) ?? seen;
    const reason = `It was ${statusText(status.name)} from outside.`;
    if (last) return last.state === 'running' ? { ...last, state: 'failed', reason } : last;
    throw new Error(reason, { cause: error });
  }
}
