import { heartbeat } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';

/** Several within every heartbeat timeout, so that one slow moment is no death. Short exchanges end before the first. */
const everyMs = 2000;

/**
 * Tells Temporal every few seconds that an activity's worker lives: one that was killed is noticed by the silence, within
 * the activity's heartbeat timeout, and not when the attempt's whole time is over.
 */
export const beats = (): { inbound: ActivityInboundCallsInterceptor } => ({
  inbound: {
    async execute(input, next) {
      const beat = setInterval(() => heartbeat(), everyMs);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  },
});
