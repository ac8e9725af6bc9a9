import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { inOurWords, isPassing } from './errors.ts';

/** Several events come with each step; one look is enough for those of a fifth of a second. */
const lookAtMostEveryMs = 200;

/** The server answers a request without news after about 20 seconds; one that takes this long was lost. */
const longPollMs = 70_000;

/** An outage that a person would sit out; after it whoever watches is told. What is watched goes on in any case. */
export const outageMs = 10 * 60_000;

/** Of answers without news only every fourth leads to a look: a look asks workers, and hundreds may be watching. */
const quietAnswers = 4;

/**
 * Yields when the latest run of a workflow has news; ends when it is closed. The server holds each request until there is
 * an event, so nothing polls and an idle watcher costs next to nothing. What has no event there (an attempt that failed,
 * one decision of several) is found by a look after 20 quiet seconds, and then every 80.
 */
export async function* news(client: Client, workflowId: string, signal: AbortSignal): AsyncGenerator<void> {
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  let quiet = 0;
  for (let failingSince: number | undefined, attempt = 0; ;) {
    try {
      const page = await client.workflow.withAbortSignal(signal, () =>
        client.workflow.withDeadline(Date.now() + longPollMs, () =>
          client.workflowService.getWorkflowExecutionHistory({
            namespace,
            execution: { workflowId },
            waitNewEvent: true,
            ...(nextPageToken && { nextPageToken }),
          }),
        ),
      );
      nextPageToken = page.nextPageToken;
      const isNews = !nextPageToken?.length || (page.history?.events?.length ?? 0) > 0;
      quiet = isNews ? 0 : quiet + 1;
      if (quiet <= 1 || quiet % quietAnswers === 0) yield;
      if (!nextPageToken?.length) return;
      failingSince = undefined;
      attempt = 0;
      await sleep(lookAtMostEveryMs, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      const said = inOurWords(error);
      failingSince ??= Date.now();
      if (!isPassing(said) || Date.now() - failingSince > outageMs) throw said;
      await sleep(Math.min(500 * 2 ** attempt++, 10_000), undefined, { signal }).catch(() => undefined);
    }
  }
}
