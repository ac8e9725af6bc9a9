import { fileURLToPath } from 'node:url';
import { Worker, type InjectedSinks, type WorkflowBundle } from '@temporalio/worker';
import { bundle } from '../../src/worker/bundle.ts';
import type { Run } from './histories.ts';
import type { ScheduledSinks } from './scheduled.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The present workflows, made to tell on which queue they put each activity. */
export const replayBundle = (): Promise<WorkflowBundle> =>
  bundle(here('../../src/workflows/index.ts'), { interceptors: [here('scheduled.ts')] });

/**
 * Carries each run out again, one after the other.
 *
 * @param workflowBundle of `replayBundle`
 * @yields for each run, in order, how it was not what the workflows do; undefined when it was
 */
export async function* replay(workflowBundle: WorkflowBundle, runs: readonly Run[]) {
  let queues = new Map<string, string | undefined>();
  const sinks: InjectedSinks<ScheduledSinks> = {
    activities: {
      scheduled: { fn: (_, id, queue) => void queues.set(id, queue), callDuringReplay: true },
    },
  };
  const remaining = [...runs];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, sinks }, runs)) {
    const run = remaining.shift();
    yield error ?? (run && rerouted(run, queues));
    queues = new Map();
  }
}

/** An activity that today's code would put on another queue than it was: in other hands, if in any. */
function rerouted({ history }: Run, queues: Map<string, string | undefined>): Error | undefined {
  const [started] = history.events ?? [];
  const own = started?.workflowExecutionStartedEventAttributes?.taskQueue?.name;
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    if (!scheduled) continue;
    const [was, is] = [scheduled.taskQueue?.name, queues.get(scheduled.activityId ?? '') ?? own];
    if (was !== is) return new Error(`${scheduled.activityType?.name} was on ${was}, and is now on ${is}.`);
  }
  return undefined;
}
