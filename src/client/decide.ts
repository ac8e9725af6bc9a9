import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { changeName } from '../model/delivery/change.ts';
import { environmentId } from '../model/temporal/workflow-ids.ts';
import { decisionRequestSchema, type Decision } from '../model/decisions/decision.ts';
import { decide, environmentStatus } from '../model/temporal/messages.ts';
import { nameSchema } from '../model/names.ts';
import { checked, GitopsError, refusalIn } from './errors.ts';
import type { Session } from './session.ts';
import { environmentUnderWay } from './status.ts';

const decideSchema = z.strictObject({
  change: z.string(),
  environment: nameSchema.exactOptional(),
  ...decisionRequestSchema.omit({ change: true }).shape,
});
export type DecideRequest = z.infer<typeof decideSchema>;

export function deciding({ client, platform, ask, resolve, status }: Session) {
  return {
    /**
     * Approves or rejects what an environment waits for. Give `manifestsDigest`, which the status shows, to be refused
     * when something else has taken its place meanwhile.
     *
     * @throws GitopsError `refused`: not waited for, not allowed, decided already, moved
     */
    async decide(request: DecideRequest): Promise<Decision> {
      const { change: name, environment: given, ...decision } = checked(decideSchema, request);
      return ask(async () => {
        const change = await resolve(name);
        const environment = given ?? environmentUnderWay(await status(change));
        if (environment === undefined) {
          throw new GitopsError(
            'refused',
            `${changeName(change)} is in no environment now: it waits for no decision.`,
          );
        }
        const handle = client.workflow.getHandle(environmentId(platform, environment, change.service));
        try {
          const { active } = await handle.query(environmentStatus);
          const askedAt = active?.view.askedAt;
          return await handle.executeUpdate(decide, {
            args: [{ change, ...decision }],
            // Who tries again, because the answer was lost, gets the first one. Workers of 0.1 do not say when they asked,
            // and may ask a second time: what was answered the first time is no answer to that.
            ...(askedAt !== undefined && { updateId: `${askedAt}/${decision.by}/${decision.verdict}` }),
          });
        } catch (error) {
          const isThere = !(error instanceof WorkflowNotFoundError);
          // Of a change that nobody ever delivered this says so.
          if (!isThere || refusalIn(error)) await status(change);
          if (isThere) throw error;
          throw new GitopsError('refused', `${changeName(change)} never came to ${environment}.`, {
            cause: error,
          });
        }
      });
    },
  };
}
