import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { recreationId } from '../../model/temporal/workflow-ids.ts';

/** What Temporal knows of the rebuilding of the cluster. */
interface LastRecreation {
  underWay: boolean;
  /** Of one that is over, in milliseconds since the epoch. */
  endedAt?: number;
}

export interface Recreations {
  /** The newest one. Cheap to ask for: Temporal is asked every few seconds at most. */
  last(): Promise<LastRecreation>;
}

/** How old an answer may be: so long a worker may still touch a cluster whose recreation has begun, and which is empty. */
const freshMs = 5000;
/** One exchange with Temporal. */
const answerWithinMs = 5000;

/** @param cluster undefined where nothing is backed up: then nothing is ever rebuilt */
export function createRecreations(
  client: Client,
  { platform, cluster }: { platform: string; cluster: string | undefined },
): Recreations {
  if (cluster === undefined) return { last: async () => ({ underWay: false }) };
  const handle = client.workflow.getHandle(recreationId(platform, cluster));
  let known: LastRecreation | undefined;
  let asking: Promise<LastRecreation> | undefined;
  let askedAt = 0;

  async function ask(): Promise<LastRecreation> {
    try {
      const { status, closeTime } = await client.withDeadline(Date.now() + answerWithinMs, () =>
        handle.describe(),
      );
      known = { underWay: status.name === 'RUNNING', ...(closeTime && { endedAt: closeTime.getTime() }) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) known = { underWay: false };
      // While Temporal is away no recreation begins or ends.
      else if (!known) throw error;
    }
    return known;
  }

  return {
    last() {
      if (asking && Date.now() - askedAt < freshMs) return asking;
      askedAt = Date.now();
      return (asking = ask());
    },
  };
}
