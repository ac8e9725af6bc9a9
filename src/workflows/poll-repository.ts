import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { z } from 'zod';
import { changeName, type Change, type ResolvedChange } from '../model/delivery/change.ts';
import { deliveryStart } from '../model/temporal/delivery-start.ts';
import { environmentId } from '../model/temporal/workflow-ids.ts';
import { nameSchema } from '../model/names.ts';
import { checkedInput } from './input-checks.ts';
import { activitiesOn, exchangeSilence } from './activity-options.ts';
import { pollAgain, pullRequestChanged } from '../model/temporal/messages.ts';
import {
  pullRequestNews,
  type PullRequestNews,
  type RepositorySeen,
} from '../model/delivery/repository-poll.ts';
import { deliverService } from './deliver-service.ts';
import { failureText, isRefusal } from './failure-text.ts';
import { since02 } from './since.ts';

const pollInputSchema = z.looseObject({ platform: nameSchema });
type PollInput = z.infer<typeof pollInputSchema>;

/**
 * Looks at the repository once, since forges do not send lost webhooks again: tells environments which of their pull
 * requests changed, and starts deliveries of what was pushed since the last look. Run by a Schedule, and at once by a
 * webhook of a push. Two at a time do no harm: a delivery that is running is not started again.
 */
export async function pollRepository(input: PollInput): Promise<void> {
  const { platform } = checkedInput(pollInputSchema, input);
  let again = true;
  setHandler(pollAgain, () => void (again = true));
  while (again) {
    again = false;
    await look(platform);
  }
}

/** The Schedule looks again within minutes, so an outage ends this look sooner than that. */
const activities = (platform: string) =>
  activitiesOn(
    'delivery',
    { platform },
    {
      startToCloseTimeout: '2 minutes',
      scheduleToCloseTimeout: '4 minutes',
      heartbeatTimeout: exchangeSilence({ platform }),
      retry: { initialInterval: '1 second', maximumInterval: '15 seconds' },
    },
  );

async function look(platform: string): Promise<void> {
  const { lookAtRepository, rememberRepository } = activities(platform);
  const { before, now, deliverOnPush, unread = [] } = await lookAtRepository();
  for (const reason of unread) log.error('the repository of a source could not be read', { reason });
  const news = pullRequestNews(before?.pullRequests ?? {}, now.pullRequests);
  const starts = before ? movedFrom(before, now) : [];
  const moved = before?.tip !== now.tip || newSources(before, now) || starts.length > 0;

  await Promise.all(news.map((one) => tell(platform, one)));
  const earlier = before?.owed ?? [];
  const owed: Change[] = [];
  if (deliverOnPush) {
    // What is owed, and was changed once more, is delivered once.
    const due = new Map<string, Due>();
    for (const change of earlier) due.set(changeName(change), { change, again: true, manifests: true });
    for (const since of starts) {
      for (const one of await changesSince(platform, since)) due.set(changeName(one.change), one);
    }
    for (const one of due.values()) owed.push(...(await deliver(platform, one)));
  }
  if (!moved && news.length === 0 && owed.length === earlier.length) return;
  await rememberRepository({ ...(before && { before }), now: { ...now, ...(owed.length > 0 && { owed }) } });
}

/** The tips that are others by now. */
function movedFrom(before: RepositorySeen, now: RepositorySeen): string[] {
  const sources = Object.entries(before.sources ?? {}).filter(
    ([key, tip]) => now.sources?.[key] !== undefined && now.sources[key] !== tip,
  );
  return [...(before.tip === now.tip ? [] : [before.tip]), ...sources.map(([, tip]) => tip)];
}

const newSources = (before: RepositorySeen, now: RepositorySeen): boolean =>
  Object.keys(now.sources ?? {}).some((key) => before.sources?.[key] === undefined);

/** An environment that is not there waits for nothing. */
async function tell(platform: string, { number, environment, service }: PullRequestNews): Promise<void> {
  try {
    const handle = getExternalWorkflowHandle(environmentId(platform, environment, service));
    await handle.signal(pullRequestChanged, { number });
  } catch (error) {
    log.info('nobody waits for the pull request', { number, reason: failureText(error) });
  }
}

type Due = Omit<ResolvedChange, 'subject'> & { subject?: string };

/** @returns what has to be delivered once more, when what is under way has ended */
async function deliver(platform: string, { change, subject, again, manifests }: Due): Promise<Change[]> {
  try {
    await startChild(deliverService, {
      ...deliveryStart(platform, change, subject === undefined ? {} : { subject }),
      // Somebody delivered it before: how that ended stands, until a person starts it again.
      workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return [];
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (!manifests) return [];
    log.info('its new manifests are delivered once what is under way has ended', { ...change });
    return [change];
  }
}

/**
 * Up to the tip as it is by then: the one that was seen may be off the branch again.
 *
 * @throws ActivityFailure; the next look begins where this one did
 */
async function changesSince(platform: string, since: string): Promise<ResolvedChange[]> {
  const { resolveChanges } = activities(platform);
  try {
    return await resolveChanges({ since });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log.error('what was pushed cannot be told, so every service is delivered', {
      since,
      reason: failureText(error),
    });
    return since02() ? resolveChanges({}) : [];
  }
}
