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
import type { Client } from '@temporalio/client';
import { connectTemporal } from './client/connect.ts';
import { deciding } from './client/decide.ts';
import type { Documents } from './client/documents.ts';
import { checked } from './client/errors.ts';
import { listAll, listFilterSchema, type ListFilter, type Listing } from './client/list.ts';
import { readingLogs } from './client/logs.ts';
import { nudging } from './client/nudge.ts';
import { createSession } from './client/session.ts';
import { starting } from './client/start.ts';
import { waiting } from './client/wait.ts';
import { withAttempts } from './client/with-attempts.ts';
import { withLive } from './client/with-live.ts';
import { changeName } from './model/delivery/change.ts';
import type { Delivery } from './model/delivery/delivery.ts';
import type { PayloadKey } from './systems/temporal/codec.ts';

export { GitopsError } from './client/errors.ts';
export type { ErrorKind } from './client/errors.ts';
export type { Documents } from './client/documents.ts';
export type { ListedChange, ListedEnvironment, ListFilter, Listing } from './client/list.ts';
export type { Delivery, Step } from './model/delivery/delivery.ts';
export type { Range } from './model/temporal/input-schemas.ts';
export type { Decision } from './model/decisions/decision.ts';
export type { PromotionState, PromotionView } from './model/promotion/promotion.ts';
export type { Problem } from './model/temporal/problem.ts';
export type { PayloadKey } from './systems/temporal/codec.ts';
export type { DecideRequest } from './client/decide.ts';
export type { LogOptions, LogPart } from './client/logs.ts';
export type { DeliverRequest, Started } from './client/start.ts';
export type { WaitOptions } from './client/wait.ts';

/** All of it throws `GitopsError`; a CHANGE is `<service>/<sha or unique prefix of at least 7 digits>`. */
export type GitopsClient = ReturnType<typeof createClient>;

/**
 * Connects as `@temporalio/envconfig` says: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, profiles.
 *
 * @throws GitopsError `unreachable`
 */
export async function connect({
  platform,
  documents,
  keys,
}: {
  /** `platform` of the configuration. */
  platform: string;
  /** Where the status of deliveries is read whose history is gone. */
  documents?: Documents;
  /** `temporal.codec.keys` of the configuration, where it has a codec: the first encrypts. */
  keys?: readonly PayloadKey[];
}): Promise<GitopsClient & { close(): Promise<void> }> {
  const client = await connectTemporal(keys);
  return { ...createClient(client, platform, documents), close: () => client.connection.close() };
}

/** The same on a connection that is there already. */
export function createClient(client: Client, platform: string, documents?: Documents) {
  const session = createSession(client, platform, documents);
  const { ask, resolve, handleOf } = session;

  return {
    ...starting(session),
    ...deciding(session),
    ...nudging(session),
    ...waiting(session),
    ...readingLogs(session),

    /**
     * A change's status, with the other times that it was delivered.
     *
     * @param look.live whether a worker is asked what its environments run now, by a short workflow
     */
    status(name: string, { live = false } = {}): Promise<Delivery> {
      return ask(async () => {
        const shown = await session.shown(await resolve(name));
        const delivery = await withAttempts(client, platform, shown);
        return live ? withLive(client, platform, delivery) : delivery;
      });
    },

    /** What visibility knows, newest first: a change that began a moment ago may be missing. And what stands still. */
    list(filter: ListFilter = {}): Promise<Listing> {
      return ask(async () => listAll(client, platform, checked(listFilterSchema, filter)));
    },

    /**
     * Asks a delivery to stop. What it has asked an environment for is withdrawn; a release that was written stays.
     *
     * @throws GitopsError `refused`: it has ended
     */
    cancel(name: string): Promise<{ change: string; workflowId: string }> {
      return ask(async () => {
        const change = await resolve(name);
        await session.underWay(change);
        const handle = handleOf(change);
        await handle.cancel();
        return { change: changeName(change), workflowId: handle.workflowId };
      });
    },

    /** A rendered diff, by the key that a status shows; undefined where no object store is configured. */
    diff(key: string): Promise<string | undefined> {
      return documents?.diff(key) ?? Promise.resolve(undefined);
    },
  };
}
