import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/** How much of the heartbeat timeout passes between two heartbeats, which are billed. The rest is for a slow moment. */
export const heartbeatShare = 0.6;

/**
 * Tells Temporal now and then that an activity's worker lives: one that was killed is noticed by the silence, within the
 * activity's heartbeat timeout, and not when the attempt's whole time is over. Each heartbeat carries what the activity
 * itself, or the attempt before, told last. Short exchanges end before the first.
 */
export function heartbeating(context: Context): ActivityInterceptors {
  const { heartbeat, info } = context;
  let told: unknown = info.heartbeatDetails;
  Object.assign(context, { heartbeat: (details?: unknown) => heartbeat((told = details)) });
  return {
    inbound: {
      async execute(input, next) {
        const { heartbeatTimeoutMs } = info;
        if (heartbeatTimeoutMs === undefined) return next(input);
        const timer = setInterval(() => heartbeat(told), heartbeatShare * heartbeatTimeoutMs);
        try {
          return await next(input);
        } finally {
          clearInterval(timer);
        }
      },
    },
  };
}
