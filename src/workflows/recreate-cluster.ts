import { ApplicationFailure, CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';
import type { RecreationActivities } from '../activities/contract.ts';
import { drillId, recreationId } from '../model/temporal/workflow-ids.ts';
import {
  recreationInputSchema,
  type Recreation,
  type RecreationInput,
  type Target,
} from '../model/recovery/recreation.ts';
import { checkedInput, checkOwnId } from './input-checks.ts';
import { failureText, isRefusal } from './failure-text.ts';
import { ownId } from './activity-options.ts';
import { checking, closing, stepsFromNow, type Step } from './recreation-steps.ts';
import { isCancelled } from './is-cancelled.ts';
import { since02 } from './since.ts';
import { recreationCancelled, trackRecreation, type RecreationTrack } from './recreation-track.ts';

/**
 * Rebuilds a lost cluster from a backup, or tries in a scratch control plane whether that would work. A cluster's
 * rebuilding is started once at a time, by its ID; what an earlier one did is found done.
 *
 * @throws ApplicationFailure `NotRecovered`, with the Recreation as its detail: not everything came back, or not in time,
 *   or a step failed; `Refused`: a rule stands against it
 */
export async function recreateCluster(started: RecreationInput): Promise<Recreation> {
  const input = checkedInput(recreationInputSchema, started);
  checkOwnId(idOf(input));
  const isSince02 = since02();
  const track = trackRecreation(input);
  const outcome = await (input.drill ? rehearse(input, track) : recreate(input, track, isSince02)).catch(
    (error: unknown) => {
      throw failedFor(error, input, track);
    },
  );

  const summary = `${outcome.summary} The report: ${outcome.report}`;
  if (outcome.passed) return track.end('succeeded', summary);
  throw notRecovered('NotRecovered', track.end('failed', summary));
}

const idOf = ({ platform, cluster, drill }: RecreationInput): string =>
  drill
    ? drillId(platform, cluster, workflowInfo().workflowId.split('/').at(-1) ?? '')
    : recreationId(platform, cluster);

type Outcome = Awaited<ReturnType<RecreationActivities['reportRecreation']>>;

/** The safe order: nothing syncs by itself before all that it needs is there, and the roots, which hold all, come last. */
async function recreate(
  input: RecreationInput,
  track: RecreationTrack,
  isSince02: boolean,
): Promise<Outcome> {
  const target = targetOf(input);
  const step = stepsFromNow(input);

  const { key, waves } = await check(input, track);
  const restoring = { ...target, key };
  await install(target, track, step);
  await restore(restoring, track, step);
  const { startedAt } = await track.phase('start', () => step().startArgoCd(target));
  const syncing = { ...restoring, startedAt };

  await track.phase('frame', async (say) => {
    const { applications, healthy } = await step().syncFrame(syncing);
    say(`namespaces, projects and secrets of ${healthy} of ${applications} roots`);
  });
  await track.phase('sync', async (say) => {
    const all = waves.reduce((sum, { applications }) => sum + applications, 0);
    let healthy = 0;
    for (const [index, { wave, applications }] of waves.entries()) {
      say(`wave ${index + 1} of ${waves.length}; ${healthy} of ${all} Applications are healthy`);
      healthy += (await step(`wave ${wave}: ${applications}`).syncWave({ ...syncing, wave })).healthy;
    }
    say(`${healthy} of ${all} Applications are healthy`);
  });
  await track.phase('automate', async (say) => {
    const { applications } = await step('others').restoreAutomation({ ...restoring, of: 'others' });
    say(`of ${applications} Applications`);
  });
  await track.phase('roots', async (say) => {
    const { applications, healthy } = await step('roots').syncWave({ ...syncing, wave: 'roots' });
    await step('roots').restoreAutomation({ ...restoring, of: 'roots' });
    say(`${healthy} of ${applications} are healthy`);
  });

  const outcome = await report(input, track, startedAt);
  // All is back by now: a cancel comes too late, and must not leave the cluster marked as one that is being rebuilt.
  if (isSince02) await CancellationScope.nonCancellable(() => finish(input, track));
  else await finish(input, track);
  return outcome;
}

/** What a drill made is taken away, however it ends. */
async function rehearse(input: RecreationInput, track: RecreationTrack): Promise<Outcome> {
  const target = targetOf(input);
  const step = stepsFromNow(input);

  const { key } = await check(input, track);
  const takeAway = () => CancellationScope.nonCancellable(() => finish(input, track));
  let outcome: Outcome;
  try {
    await install(target, track, step);
    await restore({ ...target, key }, track, step);
    outcome = await report(input, track);
  } catch (error) {
    // Why it failed is worth more than that it could not be taken away, which the phase shows.
    await takeAway().catch(() => undefined);
    throw error;
  }
  await takeAway();
  return outcome;
}

const targetOf = ({ cluster, drill = false }: RecreationInput): Target => ({
  cluster,
  drill,
  recreation: ownId(),
});

async function check(input: RecreationInput, track: RecreationTrack) {
  const { key, allowOlder = false } = input;
  return track.phase('check', async (say) => {
    const asked = { ...targetOf(input), allowOlder, ...(key !== undefined && { key }) };
    const plan = await checking(input).checkRecreation(asked);
    track.recreation.plan = plan;
    const { backup, waves, roots } = plan;
    const applications = waves.reduce((sum, wave) => sum + wave.applications, roots);
    say(`${backup.key} with ${applications} Applications, ${roots} of them roots`);
    return { key: backup.key, waves };
  });
}

const install = (target: Target, track: RecreationTrack, step: Step) =>
  track.phase('install', async (say) => {
    const { objects } = await step().installArgoCd(target);
    say(`${objects} objects of Argo CD`);
  });

const restore = (restoring: Target & { key: string }, track: RecreationTrack, step: Step): Promise<void> =>
  track.phase('restore', async (say) => {
    const restored = await step().restoreBackup(restoring);
    track.recreation.restored = restored;
    const counts = Object.values(restored.kinds);
    const sum = (of: 'created' | 'kept' | 'failed') => counts.reduce((all, count) => all + count[of], 0);
    say(`${sum('created')} objects created, ${sum('kept')} there already, ${sum('failed')} failed`);
  });

const report = (input: RecreationInput, track: RecreationTrack, startedAt?: string) =>
  track.phase('report', async (say) => {
    const soFar = {
      ...targetOf(input),
      soFar: track.recreation,
      ...(startedAt !== undefined && { startedAt }),
    };
    const outcome = await closing(input).reportRecreation(soFar);
    track.recreation.report = outcome.report;
    say(outcome.summary);
    return outcome;
  });

const finish = (input: RecreationInput, track: RecreationTrack): Promise<void> =>
  track.phase('finish', () => closing(input).finishRecreation(targetOf(input)));

/** What whoever waits for it gets to read. */
function failedFor(error: unknown, { drill }: RecreationInput, track: RecreationTrack): unknown {
  const cancelled = isCancelled(error);
  const reason = cancelled ? recreationCancelled : failureText(error);
  const { cluster, plan } = track.recreation;
  const goOn =
    !drill && plan && track.hasBegun('install')
      ? ` What was rebuilt of ${cluster} stays. Go on from there: gitops recreate-cluster --backup ${plan.backup.key}`
      : '';
  const recreation = track.end('failed', `${reason}${goOn}`);
  if (cancelled) return new CancelledFailure(recreation.reason ?? reason);
  return notRecovered(isRefusal(error) ? 'Refused' : 'NotRecovered', recreation);
}

const notRecovered = (type: 'NotRecovered' | 'Refused', recreation: Recreation): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    message: recreation.reason ?? recreation.state,
    nonRetryable: true,
    details: [recreation],
  });
