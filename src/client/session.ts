import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Change } from '../model/delivery/change.ts';
import type { Delivery } from '../model/delivery/delivery.ts';
import { isUnderWay } from '../model/promotion/promotion.ts';
import { deliverId } from '../model/temporal/workflow-ids.ts';
import { nameSchema } from '../model/names.ts';
import { resolveChange } from './changes.ts';
import type { Documents } from './documents.ts';
import { checked, GitopsError, inOurWords } from './errors.ts';
import { withLogEnds } from './log-ends.ts';
import { readStatus } from './status.ts';

/** One exchange with Temporal; a cold query replays a history, which takes seconds on a busy worker. */
const answerWithinMs = 20_000;

/** What all that a client does has in common. */
export interface Session {
  client: Client;
  platform: string;
  documents: Documents | undefined;
  /** Does some work within a deadline; what it throws is a GitopsError. */
  ask: <T>(work: () => Promise<T>, withinMs?: number) => Promise<T>;
  /** The change that somebody named, perhaps by a prefix. */
  resolve: (name: string) => Promise<Change>;
  status: (change: Change) => Promise<Delivery>;
  /** The same of one that goes on. @throws GitopsError `refused`: it has ended */
  underWay: (change: Change) => Promise<Delivery>;
  /** Its status as people read it: with the ends of logs. */
  shown: (change: Change) => Promise<Delivery>;
  /** Of its delivery. */
  handleOf: (change: Change) => WorkflowHandle;
}

export function createSession(client: Client, platform: string, documents?: Documents): Session {
  checked(nameSchema, platform);
  const status = (change: Change) => readStatus(client, platform, change, documents);

  return {
    client,
    platform,
    documents,
    ask: async (work, withinMs = answerWithinMs) => {
      try {
        return await client.withDeadline(Date.now() + withinMs, work);
      } catch (error) {
        throw inOurWords(error);
      }
    },
    resolve: (name) => resolveChange(client, platform, name, documents),
    status,
    underWay: async (change) => {
      const delivery = await status(change);
      if (isUnderWay(delivery)) return delivery;
      throw new GitopsError('refused', `${delivery.change} has ended already: ${delivery.state}.`);
    },
    shown: async (change) => withLogEnds(await status(change), documents),
    handleOf: (change) => client.workflow.getHandle(deliverId(platform, change)),
  };
}
