import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  log,
  makeContinueAsNewFunc,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { environmentId } from '../../model/temporal/workflow-ids.ts';
import { environmentInputSchema } from '../../model/temporal/input-schemas.ts';
import {
  unknownEnvironment,
  type EnvironmentInput,
  type EnvironmentMemory,
  type EnvironmentState,
} from '../../model/promotion/environment.ts';
import type { Outcome } from '../../model/promotion/promotion.ts';
import { takeNext } from '../../model/promotion/promotion-queue.ts';
import { attributes } from '../../model/temporal/search-attributes.ts';
import { checkOwnId, carriedInput } from '../input-checks.ts';
import { quick } from '../activity-options.ts';
import { failureLogs, failureText } from '../failure-text.ts';
import { since02 } from '../since.ts';
import { openInbox, type Inbox } from './inbox.ts';
import { promote } from './promote.ts';
import { ended, Unfinished, type Promotion } from './promotion.ts';

/**
 * Owns all that happens to one service in one environment: one promotion at a time, so nothing needs a lock.
 * Lives until the service is removed: failures, and even a request to cancel it, become outcomes of its promotion. It
 * continues as new after every promotion, and when people are asked for so long that its history has grown, so new code
 * starts with the next.
 */
export async function environment(started: EnvironmentInput): Promise<void> {
  const input = carriedInput(environmentInputSchema, started);
  checkOwnId(environmentId(input.platform, input.environment, input.service));
  const state: EnvironmentState = input.carried ?? { waiting: [], answered: [] };
  const isSince02 = since02();
  const inbox = openInbox(input, state, isSince02);
  const root = CancellationScope.current();
  root.cancelRequested.catch(() => inbox.withdrawActive('Somebody asked the environment to cancel.'));

  await CancellationScope.nonCancellable(async () => {
    if (!input.carried || state.unrecalled) await recall(input, state, inbox);
    if (state.unstored) store(input, state);
    await condition(
      () => inbox.active() !== undefined || state.waiting.length > 0 || workflowInfo().continueAsNewSuggested,
    );
    const outcome = state.unrecalled ? undefined : await runNext(input, state, inbox, isSince02);
    await condition(() => allHandlersFinished() && (!state.unstored || state.waiting.length > 0));
    // The only success that leaves nothing: the service was removed. Who asks again begins anew.
    if (outcome?.state === 'succeeded' && !state.current && state.waiting.length === 0) return;
    // What lists read. Carried over so it costs nothing; as an update of this run it would be billed.
    const goOn = makeContinueAsNewFunc<typeof environment>({
      memo: { ...memoryOf(state) },
      typedSearchAttributes: workflowInfo().typedSearchAttributes.updateCopy(
        outcome ? [{ key: attributes.state, value: outcome.state }] : [],
      ),
    });
    await goOn({ ...input, carried: inbox.carried() });
  });
}

const recallAgainAfter = '5 minutes';

const isUnknown = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === unknownEnvironment;

/**
 * Until it knows what runs, it takes no command: to write over the unknown is how an old version comes back. Where that
 * takes long, the next run goes on with it (`unrecalled`).
 */
async function recall(input: EnvironmentInput, state: EnvironmentState, inbox: Inbox): Promise<void> {
  const { environment, service } = input;
  for (state.unrecalled = true; !workflowInfo().continueAsNewSuggested;) {
    try {
      Object.assign(state, await quick(input, 'delivery').recallEnvironment({ environment, service }));
      delete state.unrecalled;
      return;
    } catch (error) {
      const reason = failureText(error);
      if (isUnknown(error)) {
        await inbox.refuseAll(reason);
        throw ApplicationFailure.nonRetryable(reason, 'Refused');
      }
      // The activity's own bound is half a day of outage; an environment outlives that too.
      log.error('what runs here could not be found out; trying again', { reason });
      // A token that the forge refuses ends the activity at once.
      await sleep(recallAgainAfter);
    }
  }
}

/** @returns how the promotion ended; nothing when there was none, or another run goes on with it */
async function runNext(
  input: EnvironmentInput,
  state: EnvironmentState,
  inbox: Inbox,
  isSince02: boolean,
): Promise<Outcome | undefined> {
  const promotion = inbox.active() ?? (await begin(state, inbox));
  if (!promotion) return undefined;
  const outcome = await promote(promotion).catch((error: unknown) => {
    if (error instanceof Unfinished) return undefined;
    const logs = failureLogs(error);
    if (logs.length > 0) promotion.view.logs = logs;
    return ended(promotion, 'failed', failureText(error));
  });
  if (!outcome) return undefined;
  if (isSince02) store(input, state);
  else await remember(input, state);
  await inbox.finish(promotion, outcome);
  return outcome;
}

async function begin(state: EnvironmentState, inbox: Inbox): Promise<Promotion | undefined> {
  const { next, superseded } = takeNext(state.waiting);
  if (!next) return undefined;
  for (const ask of superseded) await inbox.supersede(ask, next);
  state.waiting = state.waiting.filter((ask) => ask.id !== next.id && !superseded.includes(ask));
  return inbox.begin(next);
}

/**
 * Stores what it knows beside all else: an outage of the object store delays no answer and no promotion. What is not stored
 * when this run ends is stored by the next.
 */
function store(input: EnvironmentInput, state: EnvironmentState): void {
  state.unstored = true;
  const { current } = state;
  void remember(input, state).then(() => {
    if (state.current === current) delete state.unstored;
  });
}

/** Histories expire and operators terminate things, so what it knows lies in the object store as well. */
async function remember(input: EnvironmentInput, state: EnvironmentState): Promise<void> {
  const { environment, service } = input;
  const memory = memoryOf(state);
  if (!memory.current) return;
  try {
    await quick(input, 'delivery').rememberEnvironment({ environment, service, memory });
  } catch (error) {
    log.error('what runs here could not be stored; the next promotion stores it', {
      reason: failureText(error),
    });
  }
}

const memoryOf = ({ current, lastHealthy }: EnvironmentState): EnvironmentMemory => ({
  ...(current && { current }),
  ...(lastHealthy && { lastHealthy }),
});
