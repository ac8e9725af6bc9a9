import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/** Several within every heartbeat timeout, so that one slow moment is no death. Short exchanges end before the first. */
const everyMs = 2000;

/**
 * Tells Temporal every few seconds that an activity's worker lives: one that was killed is noticed by the silence, within
 * the activity's heartbeat timeout, and not when the attempt's whole time is over. With each beat goes what the activity
 * itself, or the attempt before, told last.
 */
export function heartbeating(context: Context): ActivityInterceptors {
  const { heartbeat } = context;
  let told: unknown = context.info.heartbeatDetails;
  Object.assign(context, { heartbeat: (details?: unknown) => heartbeat((told = details)) });
  return {
    inbound: {
      async execute(input, next) {
        const beat = setInterval(() => heartbeat(told), everyMs);
        try {
          return await next(input);
        } finally {
          clearInterval(beat);
        }
      },
    },
  };
}
