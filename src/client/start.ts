import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { changeName, type Change } from '../model/delivery/change.ts';
import type { Delivery, DeliveryInput } from '../model/delivery/delivery.ts';
import { deliveryStart } from '../model/temporal/delivery-start.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { rangeSchema, type Range } from '../model/temporal/input-schemas.ts';
import { imageReferenceSchema, nameSchema, shaSchema } from '../model/names.ts';
import type { PromotionState } from '../model/promotion/promotion.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import type { resolveChanges } from '../workflows/resolve-changes.ts';
import { checked, GitopsError } from './errors.ts';
import type { Session } from './session.ts';

/** A delivery as it was started, or as it was found running. */
export interface Started {
  /** `<service>/<sha>` */
  change: string;
  workflowId: string;
  state: PromotionState;
}

const deliverSchema = z.strictObject({
  service: nameSchema,
  commit: shaSchema,
  image: imageReferenceSchema.exactOptional(),
  subject: z.string().exactOptional(),
});
export type DeliverRequest = z.infer<typeof deliverSchema>;

/** The workflow that resolves changes retries for three minutes. */
const resolveWithinMs = 200_000;

export function starting({ client, platform, ask, resolve, status, handleOf }: Session) {
  async function start({ service, commit, image, subject }: DeliverRequest): Promise<Started> {
    const change = { service, commit };
    const given = { ...(image !== undefined && { image }), ...(subject !== undefined && { subject }) };
    const { workflowId, ...options } = deliveryStart(platform, change, given);
    await client.workflow.start<(input: DeliveryInput) => Promise<Delivery>>('deliverService', {
      workflowId,
      workflowIdConflictPolicy: 'USE_EXISTING',
      ...options,
    });
    const { typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
    const waits = typedSearchAttributes.get(attributes.state) === 'waiting';
    return { change: changeName(change), workflowId, state: waits ? 'waiting' : 'running' };
  }

  return {
    /** Starts a delivery, or finds the one that is running. What an earlier one finished is found done. */
    deliver(request: DeliverRequest): Promise<Started> {
      return ask(async () => start(checked(deliverSchema, request)));
    },

    /**
     * Starts a delivery of each service that the commits after `since` touched, up to `until` (the protected branch's tip).
     * `since` may be forty zeros: then only `until` counts. Workers find out which: no clone is needed here.
     *
     * @throws GitopsError `refused`: a commit is not on the protected branch
     */
    async deliverChangedSince(range: Range): Promise<Started[]> {
      const input = checked(rangeSchema, range);
      const changes = await ask(
        () =>
          client.workflow.execute<typeof resolveChanges>('resolveChanges', {
            workflowId: `${platform}/resolve/${input.since}-${input.until ?? 'tip'}`,
            workflowIdConflictPolicy: 'USE_EXISTING',
            taskQueue: taskQueue(platform, 'delivery'),
            workflowExecutionTimeout: resolveWithinMs,
            args: [input],
            typedSearchAttributes: [{ key: attributes.platform, value: platform }],
          }),
        resolveWithinMs,
      );
      return Promise.all(changes.map(({ change, subject }) => ask(() => start({ ...change, subject }))));
    },

    /**
     * Starts a delivery again that did not succeed, with the image that it was given, if any.
     *
     * @throws GitopsError `refused`: it succeeded, `usage`: there never was one
     */
    retry(name: string): Promise<Started> {
      return ask(async () => {
        const change = await resolve(name);
        const { state, subject } = await status(change);
        if (state === 'succeeded') {
          throw new GitopsError(
            'refused',
            `${changeName(change)} has been delivered: there is nothing to do again.`,
          );
        }
        const image = await imageGiven(change);
        return start({
          ...change,
          ...(subject !== undefined && { subject }),
          ...(image !== undefined && { image }),
        });
      });
    },
  };

  /** The image that CI gave the last delivery, which stands in its memo. */
  async function imageGiven(change: Change): Promise<string | undefined> {
    try {
      const { memo } = await handleOf(change).describe();
      return imageReferenceSchema.optional().safeParse(memo?.['image']).data;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }
}
