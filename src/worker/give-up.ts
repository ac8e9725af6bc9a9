import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import { z } from 'zod';
import { outageHours } from '../model/temporal/outage.ts';
import { errorText } from '../systems/system-error.ts';

const outageMs = outageHours * 3_600_000;

/** Goes from attempt to attempt by their heartbeats. */
const tryingSchema = z.object({ tryingSince: z.number() });

/**
 * Ends what has been tried again for as long as an outage may last. Temporal's own bound would count from when an
 * activity was scheduled, and so give up builds that only waited for a slot behind others: here the clock starts with the
 * second attempt and stands still while one waits in the queue.
 */
export function givingUp(context: Context): ActivityInterceptors {
  const { attempt, currentAttemptScheduledTimestampMs: queuedAt, heartbeatDetails } = context.info;
  return {
    inbound: {
      async execute(input, next) {
        if (attempt === 1) return next(input);
        const { tryingSince: before = queuedAt } = tryingSchema.safeParse(heartbeatDetails).data ?? {};
        const tryingSince = before + Date.now() - queuedAt;
        const isOver = () => Date.now() - tryingSince >= outageMs;
        // Its workers may have died each time, without a word.
        if (isOver())
          throw giveUp(`${outageHours} hours of attempts came to no end. Look at its workers' logs.`);
        context.heartbeat({ tryingSince });
        try {
          return await next(input);
        } catch (error) {
          const isFinal = error instanceof ApplicationFailure && error.nonRetryable;
          if (!isOver() || isFinal || context.cancellationSignal.aborted) throw error;
          throw giveUp(errorText(error));
        }
      },
    },
  };
}

const giveUp = (message: string) => ApplicationFailure.nonRetryable(message, 'GivenUp');
