import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { activityInfo } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/**
 * What bad luck may do to a worker's activities. Loaded into a worker before its own code, this file does it; nothing in
 * `src/` knows of it.
 */
type Moment = 'before' | 'during' | 'after';
export type Meddling = {
  /** File with a line for everything that was done. */
  diary: string;
} & (
  | {
      /**
       * kill -9 of the worker at every activity: when it is about to begin, half-way, or done and not yet told. Of several,
       * one after the other.
       */
      kill: Moment | readonly Moment[];
      /** How long activities take, by their points. */
      usualMs: Record<string, number>;
    }
  /** Every activity is done twice. */
  | { twice: 'in a row' | 'at once' }
  /** Every call is made again when the worker gets SIGHUP: the oldest last, or what it did would not be seen. */
  | { late: true }
);

/** Environment of a worker that is meddled with. */
export const meddledWith = (meddling: Meddling): Record<string, string> => ({
  NODE_OPTIONS: `--import=${import.meta.url}`,
  MEDDLING: JSON.stringify(meddling),
});

/** Names an activity where it stands in the way of a change: `deliver testService`, `staging mergePullRequest`. */
export function pointOf(workflowId: string, activityType: string): string {
  const [, kind, environment] = workflowId.split('/');
  return `${kind === 'environment' ? environment : kind} ${activityType}`;
}

/** The kills so far, in their order. */
export const killsIn = (diary: string): { point: string; activity: string }[] =>
  (existsSync(diary) ? readFileSync(diary, 'utf8').trim().split('\n') : []).map((line) => {
    const [point = '', activity = ''] = line.split('\t');
    return { point, activity };
  });

type Work = () => Promise<unknown>;

const given = process.env['MEDDLING'];
if (given !== undefined && isMainThread) await meddle(JSON.parse(given) as Meddling);

async function meddle(meddling: Meddling): Promise<void> {
  const { Worker } = await import('@temporalio/worker');
  const create = Worker.create.bind(Worker);
  const luck = luckOf(meddling);
  const meddler = (): ActivityInterceptors => ({
    inbound: {
      execute(input, next) {
        const { workflowExecution, activityType } = activityInfo();
        return luck(pointOf(workflowExecution?.workflowId ?? '', activityType), () => next(input));
      },
    },
  });
  Worker.create = (options) => {
    const { activity = [], ...others } = options.interceptors ?? {};
    return create({ ...options, interceptors: { ...others, activity: [...activity, meddler] } });
  };
}

function luckOf(meddling: Meddling): (point: string, work: Work) => Promise<unknown> {
  const note = (line: string) => appendFileSync(meddling.diary, `${line}\n`);

  if ('kill' in meddling) {
    const { kill, usualMs } = meddling;
    return async (point, work) => {
      const { workflowExecution, activityId } = activityInfo();
      const own = `${workflowExecution?.runId} ${activityId}`;
      // Not by its attempts: it also dies of the kills of others.
      const killed = killsIn(meddling.diary).filter(({ activity }) => activity === own).length;
      const moment = [kill].flat()[killed];
      if (!moment) return work();
      const moments = {
        before: () => undefined,
        during: () => Promise.race([work(), delay((usualMs[point] ?? 100) / 2)]),
        after: work,
      };
      await Promise.resolve(moments[moment]()).catch(() => undefined);
      note(`${point}\t${own}`);
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    };
  }

  if ('twice' in meddling) {
    return async (point, work) => {
      note(point);
      if (meddling.twice === 'in a row') {
        await work();
        return work();
      }
      // The first attempt's answer is the one that Temporal no longer wants.
      const [, second] = await Promise.allSettled([work(), work()]);
      if (second.status === 'rejected') throw second.reason;
      return second.value;
    };
  }

  const held: { point: string; work: Work }[] = [];
  process.on('SIGHUP', () => void makeAll());
  async function makeAll(): Promise<void> {
    for (const { point, work } of held.splice(0).toReversed()) {
      const [{ status }] = await Promise.allSettled([work()]);
      note(`${point} ${status}`);
    }
    note('all');
  }
  return (point, work) => {
    const inItsContext = AsyncLocalStorage.snapshot();
    held.push({ point, work: () => inItsContext(work) });
    return work();
  };
}
