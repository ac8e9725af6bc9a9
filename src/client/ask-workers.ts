import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { ResolvedChange } from '../model/delivery/change.ts';
import type { Selection } from '../model/temporal/input-schemas.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { resolveId } from '../model/temporal/workflow-ids.ts';
import { rootCause } from '../systems/system-error.ts';
import type { resolveChanges } from '../workflows/resolve-changes.ts';
import { GitopsError, refusalIn } from './errors.ts';
import type { Session } from './session.ts';

/**
 * Has workers, which know the configuration and the repository, find out what there is to deliver, in a workflow of a
 * second that changes nothing. No delivery has been started by then, so what they refuse was asked wrongly.
 *
 * @throws GitopsError `usage`: they refused; `unreachable`: nobody could find out in time
 */
export function askingWorkers({ client, platform, ask }: Session) {
  return (selection: Selection, withinMs: number): Promise<ResolvedChange[]> =>
    ask(async () => {
      try {
        return await client.workflow.execute<typeof resolveChanges>('resolveChanges', {
          workflowId: resolveId(platform, randomUUID()),
          taskQueue: taskQueue(platform, 'delivery'),
          workflowExecutionTimeout: withinMs,
          args: [selection],
          staticSummary: summaryOf(selection),
          typedSearchAttributes: [{ key: attributes.platform, value: platform }],
        });
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        const refusal = refusalIn(error);
        if (refusal) throw new GitopsError('usage', refusal.message, { cause: error });
        throw new GitopsError(
          'unreachable',
          `The workers could not find out what to deliver (${rootCause(error)}). See what is away: gitops doctor`,
          { cause: error },
        );
      }
    }, withinMs);
}

function summaryOf({ service, since, until = 'the tip' }: Selection): string {
  const what = service ?? (since === undefined ? 'every service' : `what changed after ${since}`);
  return `${what} at ${until}`;
}
