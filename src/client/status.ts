import {
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { changeName, type Change } from '../model/delivery/change.ts';
import { stepInto, type Delivery } from '../model/delivery/delivery.ts';
import type { EnvironmentView } from '../model/promotion/environment.ts';
import { isUnderWay } from '../model/promotion/promotion.ts';
import { deliverId, environmentId } from '../model/temporal/workflow-ids.ts';
import { deliveryStatus, environmentStatus } from '../model/temporal/messages.ts';
import type { Problem } from '../model/temporal/problem.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import type { deliverService } from '../workflows/deliver-service.ts';
import type { Documents } from './documents.ts';
import { GitopsError } from './errors.ts';
import { noAnswer, problemsOf } from './problems.ts';
import { progressOf } from './progress.ts';
import { statusText } from './visibility.ts';

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
    const problems = status.name === 'RUNNING' ? await problemsOf(client, platform, description) : [];
    if (problems.some(isFailing)) return withProblems(withoutAsking(change, description), problems);
    const delivery = await handle.query(deliveryStatus);
    if (status.name !== 'RUNNING') return asItWasClosed(delivery, status.name);
    const told = withProblems(withProgress(delivery, await progressOf(client, description)), problems);
    return await asItsEnvironmentHasIt(client, platform, told);
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

/**
 * The environment that a running delivery is in, by name.
 *
 * @throws GitopsError `unreachable`: its code cannot say
 */
export function environmentUnderWay({ environments, problems = [] }: Delivery): string | undefined {
  const names = Object.keys(environments);
  const cannotSay = problems.find(isFailing);
  if (names.length === 0 && cannotSay) throw new GitopsError('unreachable', cannotSay.message);
  return names.find((name) => isUnderWay(environments[name] ?? {}));
}

async function asItsEnvironmentHasIt(
  client: Client,
  platform: string,
  delivery: Delivery,
): Promise<Delivery> {
  const name = environmentUnderWay(delivery);
  if (name === undefined) return delivery;
  const handle = client.workflow.getHandle(environmentId(platform, name, delivery.service));
  const description = await handle.describe().catch(ifThere);
  if (description?.status.name !== 'RUNNING') {
    const ended = description ? statusText(description.status.name) : 'forgotten';
    return unanswered(
      client,
      platform,
      delivery,
      name,
      `whose workflow was ${ended}`,
      description?.closeTime,
    );
  }
  const problems = await problemsOf(client, platform, description);
  const told = withProblems(delivery, problems);
  // It cannot answer.
  if (problems.some(isFailing)) return told;
  const view = await handle.query(environmentStatus).catch(ifThere);
  if (!view || !knows(view, delivery)) {
    return unanswered(client, platform, told, name, 'which does not know it');
  }
  const seen = withEnvironment(told, name, view);
  const isActive = view.active && changeName(view.active.change) === delivery.change;
  return isActive ? withProgress(seen, await progressOf(client, description)) : seen;
}

/** @throws all that is not the news that there is no such workflow */
function ifThere(error: unknown): undefined {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}

function knows({ active, waiting, recent }: EnvironmentView, { change: name }: Delivery): boolean {
  return [...(active ? [active] : []), ...waiting, ...recent].some(
    ({ change }) => changeName(change) === name,
  );
}

/** Nobody will answer, unless the delivery is just about to ask, or has just been answered. */
async function unanswered(
  client: Client,
  platform: string,
  delivery: Delivery,
  environment: string,
  why: string,
  since?: Date,
): Promise<Delivery> {
  const handle = client.workflow.getHandle(deliverId(platform, delivery));
  const { status, raw } = await handle.describe();
  const isBusy = raw.pendingWorkflowTask || (raw.pendingActivities ?? []).length > 0;
  if (isBusy || status.name !== 'RUNNING') return delivery;
  return withProblems(delivery, [noAnswer(handle.workflowId, delivery.change, environment, why, since)]);
}

const isFailing = ({ kind }: Problem): boolean => kind === 'failing-workflow';

const withProblems = (delivery: Delivery, more: Problem[]): Delivery =>
  more.length === 0 ? delivery : { ...delivery, problems: [...(delivery.problems ?? []), ...more] };

/** All that can be said of a delivery whose code cannot answer. */
function withoutAsking(
  { service, commit }: Change,
  { memo, typedSearchAttributes }: WorkflowExecutionDescription,
): Delivery {
  const subject = memo?.['subject'];
  return {
    change: changeName({ service, commit }),
    service,
    commit,
    ...(typeof subject === 'string' && { subject }),
    state: typedSearchAttributes.get(attributes.state) === 'waiting' ? 'waiting' : 'running',
    steps: [],
    environments: {},
  };
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
    // It is just about to hear; until then it is as lists have it.
    if (active.view.state !== delivery.environments[name]?.state) return delivery;
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
  const entering = stepInto(delivery, name);
  return {
    ...rest,
    state: waits ? 'waiting' : 'running',
    ...(waits && view.waitingFor !== undefined && { waitingFor: view.waitingFor }),
    steps: delivery.steps.map((step) => (step === entering ? { ...step, state: view.state } : step)),
    environments: { ...delivery.environments, [name]: view },
  };
}

/** A delivery that was terminated, or timed out, had no time to say so itself. */
function asItWasClosed(delivery: Delivery, status: WorkflowExecutionStatusName): Delivery {
  if (!isUnderWay(delivery)) return delivery;
  const { waitingFor: _, ...rest } = delivery;
  return {
    ...rest,
    state: 'failed',
    steps: rest.steps.map(asItEnded),
    environments: Object.fromEntries(
      Object.entries(rest.environments).map(([name, view]) => [name, asItEnded(view)]),
    ),
    reason: `The delivery's workflow was ${statusText(status)} from outside. Start it again: gitops retry ${delivery.change}`,
  };
}

/** What was under way in it: whoever looks finds the same in lists. */
function asItEnded<T extends { state: string; waitingFor?: string }>(part: T): T {
  if (!isUnderWay(part)) return part;
  const { waitingFor: _, ...rest } = part;
  return { ...rest, state: 'failed' } as T;
}
