import type { Change } from '../delivery/change.ts';
import type { DeliveryInput } from '../delivery/delivery.ts';
import { deliverId } from './workflow-ids.ts';
import { taskQueue, priorityOf } from './task-queues.ts';
import { attributes } from './search-attributes.ts';

/** How a delivery is started, by whomever: so that it is found, listed and read the same way. */
export function deliveryStart(
  platform: string,
  change: Change,
  given: { image?: string; subject?: string } = {},
) {
  const { service, commit } = change;
  const { image, subject } = given;
  const input: DeliveryInput = { platform, change, ...(image !== undefined && { image }) };
  return {
    workflowId: deliverId(platform, change),
    taskQueue: taskQueue(platform, 'delivery'),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    priority: priorityOf.delivery(service),
    args: [input] as [DeliveryInput],
    staticSummary: `${service} ${commit.slice(0, 8)}${subject === undefined ? '' : ` ${subject.slice(0, 100)}`}`,
    memo: { ...(subject !== undefined && { subject }), ...(image !== undefined && { image }) },
    typedSearchAttributes: [
      { key: attributes.platform, value: platform },
      { key: attributes.service, value: service },
      { key: attributes.commit, value: commit },
      { key: attributes.state, value: 'running' },
    ],
  };
}
