import {
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { changeName, type Change } from '../model/change.ts';
import type { Delivery } from '../model/delivery.ts';
import type { EnvironmentView } from '../model/environment.ts';
import { deliverId, environmentId } from '../model/workflow-ids.ts';
import { deliveryStatus, environmentStatus } from '../model/messages.ts';
import type { deliverService } from '../workflows/deliver-service.ts';
import type { Documents } from './documents.ts';
import { GitopsError } from './errors.ts';
import { progressOf } from './progress.ts';

/**
 * A change's status: what its delivery tells, and what the environment tells that has it now. A delivery whose history
 * is gone is answered from its stored document.
 *
 * @throws GitopsError `usage` when nobody ever delivered it
 */
export async function readStatus(
  client: Client,
  platform: string,
  change: Change,
  documents: Documents | undefined,
): Promise<Delivery> {
  const workflowId = deliverId(platform, change);
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const { runId, status } = description;
    const handle = client.workflow.getHandle<typeof deliverService>(workflowId, runId);
    // Its answer stands in its history: to ask it again takes a worker.
    if (status.name === 'COMPLETED') return await handle.result();
    const delivery = await handle.query(deliveryStatus);
    if (status.name !== 'RUNNING') return asItWasClosed(delivery, status.name);
    return asItsEnvironmentHasIt(
      client,
      platform,
      withProgress(delivery, await progressOf(client, description)),
    );
  } catch (error) {
    // One that somebody started by hand with bad input never became a delivery.
    if (!(error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError)) throw error;
  }
  const stored = await documents?.delivery(change);
  if (stored) return stored;
  const where = documents
    ? ''
    : ' Its stored document was not looked for: no object store is configured here.';
  throw new GitopsError(
    'usage',
    `Nothing is known of ${changeName(change)}.${where} Start it: gitops deliver --service ${change.service} --commit ${change.commit}`,
  );
}

/** The environment that a running delivery is in, by name. */
export const environmentUnderWay = ({ environments }: Delivery): string | undefined =>
  Object.keys(environments).find((name) => ['running', 'waiting'].includes(environments[name]?.state ?? ''));

async function asItsEnvironmentHasIt(
  client: Client,
  platform: string,
  delivery: Delivery,
): Promise<Delivery> {
  const name = environmentUnderWay(delivery);
  if (name === undefined) return delivery;
  try {
    const workflowId = environmentId(platform, name, delivery.service);
    const handle = client.workflow.getHandle(workflowId);
    const [view, description] = await Promise.all([handle.query(environmentStatus), handle.describe()]);
    const seen = withEnvironment(delivery, name, view);
    const isActive = view.active && changeName(view.active.change) === delivery.change;
    return isActive ? withProgress(seen, await progressOf(client, description)) : seen;
  } catch (error) {
    // It is asked again by the delivery, and may not have been started yet.
    if (error instanceof WorkflowNotFoundError) return delivery;
    throw error;
  }
}

const withProgress = (delivery: Delivery, progress: string | undefined): Delivery => ({
  ...delivery,
  steps: delivery.steps.map((step) =>
    step.state === 'running' && progress !== undefined ? { ...step, progress } : step,
  ),
});

/** The delivery hears from an environment when something begins or ends; the environment itself knows all between. */
function withEnvironment(
  delivery: Delivery,
  name: string,
  { active, waiting }: Pick<EnvironmentView, 'active' | 'waiting'>,
): Delivery {
  if (!active) return delivery;
  if (changeName(active.change) === delivery.change) {
    const newer = waiting.find(({ position }) => position > active.position);
    return seen(delivery, name, { ...active.view, ...(newer && { behind: changeName(newer.change) }) });
  }
  if (!waiting.some(({ change }) => changeName(change) === delivery.change)) return delivery;
  return seen(delivery, name, {
    state: 'waiting',
    waitingFor: `${changeName(active.change)}, which is under way in ${name}`,
  });
}

function seen(delivery: Delivery, name: string, view: Delivery['environments'][string]): Delivery {
  const { waitingFor: _, ...rest } = delivery;
  const waits = view.state === 'waiting';
  return {
    ...rest,
    state: waits ? 'waiting' : 'running',
    ...(waits && view.waitingFor !== undefined && { waitingFor: view.waitingFor }),
    steps: delivery.steps.map((step) => (step.name === name ? { ...step, state: view.state } : step)),
    environments: { ...delivery.environments, [name]: view },
  };
}

/** A delivery that was terminated, or timed out, had no time to say so itself. */
function asItWasClosed(delivery: Delivery, status: WorkflowExecutionStatusName): Delivery {
  if (delivery.state !== 'running' && delivery.state !== 'waiting') return delivery;
  const { waitingFor: _, ...rest } = delivery;
  return {
    ...rest,
    state: 'failed',
    reason: `The delivery's workflow was ${status.toLowerCase().replace('_', ' ')} from outside. Start it again: gitops retry ${delivery.change}`,
  };
}
