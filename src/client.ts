/**
 * Starts deliveries and steers them: what CI jobs, bots and the `gitops` command use. It needs Temporal only, no clone
 * and no credentials of the forge or the cluster.
 *
 * ```ts
 * import { connect } from 'gitops-delivery/client';
 *
 * const gitops = await connect({ platform: 'brainsait-rcm' }); // address and credentials: TEMPORAL_ADDRESS, …
 * const [started] = await gitops.deliverChangedSince({ since: process.env.BEFORE });
 * const delivery = await gitops.wait(started.change, { until: 'dev' });
 * await gitops.close();
 * ```
 */
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { z } from 'zod';
import { resolveChange } from './client/changes.ts';
import type { Documents } from './client/documents.ts';
import { checked, GitopsError, inOurWords } from './client/errors.ts';
import { listAll, listFilterSchema, type ListFilter, type Listing } from './client/list.ts';
import { environmentUnderWay, readStatus } from './client/status.ts';
import { news } from './client/watch.ts';
import { changeName, type Change } from './model/change.ts';
import type { Delivery, DeliveryInput } from './model/delivery.ts';
import { deliveryStart } from './model/delivery-start.ts';
import { deliverId, environmentId, taskQueue } from './model/ids.ts';
import { rangeSchema, type Range } from './model/inputs.ts';
import { decide } from './model/messages.ts';
import { imageReferenceSchema, nameSchema, shaSchema } from './model/names.ts';
import { decisionRequestSchema, type Decision, type PromotionState } from './model/promotion.ts';
import { attributes } from './model/visibility.ts';
import { connectClient } from './systems/temporal/connect.ts';
import type { resolveChanges } from './workflows/resolve-changes.ts';

export { GitopsError } from './client/errors.ts';
export type { ErrorKind } from './client/errors.ts';
export type { Documents } from './client/documents.ts';
export type { ListedChange, ListedEnvironment, ListFilter, Listing } from './client/list.ts';
export type { Delivery, Step } from './model/delivery.ts';
export type { Range } from './model/inputs.ts';
export type { Decision, PromotionState, PromotionView } from './model/promotion.ts';

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

const decideSchema = z.strictObject({
  change: z.string(),
  environment: nameSchema.exactOptional(),
  ...decisionRequestSchema.omit({ change: true }).shape,
});
export type DecideRequest = z.infer<typeof decideSchema>;

export interface WaitOptions {
  /** An environment's name, or `end` (the default). */
  until?: string;
  /** Called with the status at once, and whenever it has changed. */
  onChange?: (delivery: Delivery) => void;
  /** Ends the waiting, never the delivery. */
  signal?: AbortSignal;
}

/** All of it throws `GitopsError`; a CHANGE is `<service>/<sha or unique prefix of at least 7 digits>`. */
export type GitopsClient = ReturnType<typeof createClient>;

/** One exchange with Temporal; a cold query replays a history, which takes seconds on a busy worker. */
const answerWithinMs = 20_000;

/** The workflow that resolves changes retries for three minutes. */
const resolveWithinMs = 200_000;

/**
 * Connects as `@temporalio/envconfig` says: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, profiles.
 *
 * @throws GitopsError `unreachable`
 */
export async function connect({
  platform,
  documents,
}: {
  /** `platform` of the configuration. */
  platform: string;
  /** Where the status of deliveries is read whose history is gone. */
  documents?: Documents;
}): Promise<GitopsClient & { close(): Promise<void> }> {
  const client = await connectClient().catch((error: unknown) => {
    throw new GitopsError('unreachable', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  });
  return { ...createClient(client, platform, documents), close: () => client.connection.close() };
}

/** The same on a connection that is there already. */
export function createClient(client: Client, platform: string, documents?: Documents) {
  checked(nameSchema, platform);

  async function ask<T>(work: () => Promise<T>, withinMs = answerWithinMs): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + withinMs, work);
    } catch (error) {
      throw inOurWords(error);
    }
  }

  const resolve = (name: string): Promise<Change> => resolveChange(client, platform, name, documents);
  const handleOf = (change: Change) => client.workflow.getHandle(deliverId(platform, change));

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

  async function status(name: string): Promise<Delivery> {
    return ask(async () => readStatus(client, platform, await resolve(name), documents));
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

    status,

    /** What visibility knows, newest first; it lags behind by moments. */
    list(filter: ListFilter = {}): Promise<Listing> {
      return ask(async () => listAll(client, platform, checked(listFilterSchema, filter)));
    },

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
        const environment =
          given ?? environmentUnderWay(await readStatus(client, platform, change, documents));
        if (environment === undefined) {
          throw new GitopsError(
            'refused',
            `${changeName(change)} is in no environment now: it waits for no decision.`,
          );
        }
        const handle = client.workflow.getHandle(environmentId(platform, environment, change.service));
        try {
          return await handle.executeUpdate(decide, { args: [{ change, ...decision }] });
        } catch (error) {
          if (error instanceof WorkflowUpdateFailedError) throw error;
          if (!(error instanceof WorkflowNotFoundError)) throw error;
          throw new GitopsError('refused', `${changeName(change)} never came to ${environment}.`, {
            cause: error,
          });
        }
      });
    },

    /**
     * Starts a delivery again that did not succeed, with the image that it was given, if any.
     *
     * @throws GitopsError `refused`: it succeeded, `usage`: there never was one
     */
    retry(name: string): Promise<Started> {
      return ask(async () => {
        const change = await resolve(name);
        const { state, subject } = await readStatus(client, platform, change, documents);
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

    /**
     * Asks a delivery to stop. What it has asked an environment for is withdrawn; a release that was written stays.
     *
     * @throws GitopsError `refused`: it has ended
     */
    cancel(name: string): Promise<{ change: string; workflowId: string }> {
      return ask(async () => {
        const change = await resolve(name);
        const handle = handleOf(change);
        const { state } = await readStatus(client, platform, change, documents);
        if (state !== 'running' && state !== 'waiting') {
          throw new GitopsError('refused', `${changeName(change)} has ended already: ${state}.`);
        }
        await handle.cancel();
        return { change: changeName(change), workflowId: handle.workflowId };
      });
    },

    /**
     * Waits until a change has left an environment, or has ended; how is in what it returns. It lasts as long as the
     * delivery, whose every wait has a deadline of its own; it sits out ten minutes of Temporal's absence.
     *
     * @throws GitopsError `usage`: the change does not go to that environment
     */
    async wait(name: string, { until = 'end', onChange, signal }: WaitOptions = {}): Promise<Delivery> {
      const change = await ask(() => resolve(name));
      let delivery = await status(changeName(change));
      onChange?.(delivery);
      const stop = new AbortController();
      const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
      try {
        if (isReached(delivery, until)) return delivery;
        for await (const _ of news(client, deliverId(platform, change), anySignal)) {
          const seen = await status(changeName(change));
          if (JSON.stringify(seen) !== JSON.stringify(delivery)) onChange?.(seen);
          delivery = seen;
          if (isReached(delivery, until)) return delivery;
        }
        return delivery;
      } finally {
        stop.abort();
      }
    },

    /** A rendered diff, by the key that a status shows; undefined where no object store is configured. */
    diff(key: string): Promise<string | undefined> {
      return documents?.diff(key) ?? Promise.resolve(undefined);
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

const isUnderWay = (state: string): boolean => ['pending', 'running', 'waiting'].includes(state);

function isReached({ state, steps, environments }: Delivery, until: string): boolean {
  if (!isUnderWay(state)) return true;
  if (until === 'end') return false;
  const there = environments[until];
  // Before `verify` nobody knows where it goes.
  if (!there && steps.length > 1) {
    throw new GitopsError(
      'usage',
      `The change does not go to ${until}. It goes to: ${Object.keys(environments).join(', ')}.`,
    );
  }
  return there !== undefined && !isUnderWay(there.state);
}
