import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { changeName, type Change } from '../model/delivery/change.ts';
import type { Delivery, DeliveryInput } from '../model/delivery/delivery.ts';
import { deliveryStart } from '../model/temporal/delivery-start.ts';
import { rangeSchema, type Range, type Selection } from '../model/temporal/input-schemas.ts';
import { imageReferenceSchema, nameSchema, shaSchema } from '../model/names.ts';
import type { PromotionState } from '../model/promotion/promotion.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { askingWorkers } from './ask-workers.ts';
import { checked, GitopsError, isPassing } from './errors.ts';
import type { Session } from './session.ts';

/** A delivery as it was started, or as it was found running. */
export interface Started {
  /** `<service>/<sha>` */
  change: string;
  workflowId: string;
  state: PromotionState;
  /** No worker answered in time: whether there is such a service and commit its first step will say. */
  unchecked?: true;
}

const deliverSchema = z.strictObject({
  service: nameSchema,
  commit: shaSchema,
  image: imageReferenceSchema.exactOptional(),
  subject: z.string().exactOptional(),
});
export type DeliverRequest = z.infer<typeof deliverSchema>;

const deliverAllSchema = z.strictObject({ commit: shaSchema.exactOptional() });

/** The workflow that resolves changes retries for three minutes. */
const resolveWithinMs = 200_000;

/** Of one name. A delivery does not wait for it any longer: whatever it would say, its first step says, too. */
const checkWithinMs = 20_000;

export function starting(session: Session) {
  const { client, platform, ask, resolve, status, handleOf } = session;
  const askWorkers = askingWorkers(session);

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

  async function startAll(selection: Selection): Promise<Started[]> {
    const changes = await askWorkers(selection, resolveWithinMs);
    return Promise.all(changes.map(({ change, subject }) => ask(() => start({ ...change, subject }))));
  }

  return {
    /**
     * Starts a delivery, or finds the one that is running. What an earlier one finished is found done. Where no worker can
     * look at the names within 20 seconds it is started all the same, so that an outage loses none.
     *
     * @throws GitopsError `usage`, before anything is started: there is no such service, or the commit is not on the
     *   protected branch's first-parent line
     */
    async deliver(request: DeliverRequest): Promise<Started> {
      const given = checked(deliverSchema, request);
      const { service, commit } = given;
      const [found] = await askWorkers({ service, until: commit }, checkWithinMs).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
        return [];
      });
      const started = await ask(() => start({ ...(found && { subject: found.subject }), ...given }));
      return found ? started : { ...started, unchecked: true };
    },

    /**
     * Starts a delivery of each service that has changed since a commit, up to `until` (the protected branch's tip), at the
     * newest commit that changed it. `since` need not be on the branch any more; forty zeros: all that is there is new.
     * Workers find out which: no clone is needed here.
     *
     * @throws GitopsError `usage`, before anything is started: `since` is in the repository no more, or `until` is not on
     *   the protected branch
     */
    async deliverChangedSince(range: Range): Promise<Started[]> {
      return startAll(checked(rangeSchema, range));
    },

    /**
     * Starts a delivery of every service at one commit, without it at the protected branch's tip.
     *
     * @throws GitopsError `usage`, before anything is started: the commit is not on the protected branch
     */
    async deliverAll(request: { commit?: string } = {}): Promise<Started[]> {
      const { commit } = checked(deliverAllSchema, request);
      return startAll(commit === undefined ? {} : { until: commit });
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
