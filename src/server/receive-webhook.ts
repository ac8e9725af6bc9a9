import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { environmentId, pollId } from '../model/temporal/workflow-ids.ts';
import { parsePromotionBranch } from '../model/promotion/promotion-branch.ts';
import { taskQueue } from '../model/temporal/task-queues.ts';
import { pollAgain, pullRequestChanged } from '../model/temporal/messages.ts';
import type { ForgeEvent } from '../systems/forge/webhook.ts';
import { attributes } from '../model/temporal/search-attributes.ts';

/** One exchange with Temporal. A forge gives up after 10 s and does not come back. */
const withinMs = 5000;

/**
 * Leads what a forge tells to the workflow that it concerns. Nothing in it is believed: an environment reads its pull
 * request again, and a push only makes the poll look now rather than within minutes.
 */
export function createForgeEvents({
  client,
  platform,
  repository,
  branch,
  sources = [],
  deliverOnPush,
}: {
  client: Client;
  platform: string;
  /** `owner/name` */
  repository: string;
  /** The protected one. */
  branch: string;
  /** Repositories that hold only the source of services. */
  sources?: { repository: string; branch: string }[];
  deliverOnPush: boolean;
}) {
  return async (event: ForgeEvent): Promise<string> => {
    if (event.kind === 'other') return `${event.name || 'That event'} concerns nobody here.`;
    const isFrom = (place: { repository: string }) =>
      event.repository.toLowerCase() === place.repository.toLowerCase();
    const places = [{ repository, branch }, ...sources].filter(isFrom);
    if (places.length === 0) return `${event.repository} is not delivered from here.`;
    if (event.kind === 'pull-request' && !isFrom({ repository })) {
      return `Promotions are pull requests of ${repository}.`;
    }
    const branches = places.map((place) => place.branch);
    return client.withDeadline(Date.now() + withinMs, () =>
      event.kind === 'push' ? pushed(event.branch, branches) : changed(event),
    );
  };

  async function pushed(to: string, branches: string[]): Promise<string> {
    if (!branches.includes(to)) return `Only ${branches.join(', ')} is delivered.`;
    if (!deliverOnPush) return 'Pushes start no deliveries here (forge.deliverOnPush).';
    const workflowId = pollId(platform);
    await client.workflow.signalWithStart('pollRepository', {
      workflowId,
      taskQueue: taskQueue(platform, 'delivery'),
      args: [{ platform }],
      signal: pollAgain,
      typedSearchAttributes: [{ key: attributes.platform, value: platform }],
    });
    return `${workflowId} looks at ${to}.`;
  }

  async function changed({ number, branch: head }: { number: number; branch: string }): Promise<string> {
    const promotion = parsePromotionBranch(head);
    if (!promotion) return `#${number} is no promotion.`;
    const workflowId = environmentId(platform, promotion.environment, promotion.change.service);
    try {
      await client.workflow.getHandle(workflowId).signal(pullRequestChanged, { number });
      return `${workflowId} looks at #${number}.`;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      return `Nobody waits for #${number}.`;
    }
  }
}
