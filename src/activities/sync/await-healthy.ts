import { activityInfo, cancellationDetails, cancellationSignal, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { milliseconds } from '../../config/duration.ts';
import { applicationName, environmentOf } from '../../config/environments.ts';
import { manifestsPath, overlayPath } from '../../config/paths.ts';
import {
  isNamed,
  isRetrying,
  type Application,
  type Operation,
  type OperationName,
} from '../../model/argocd/application.ts';
import { judge, type Judgement, type ReleasePresence } from '../../model/argocd/application-health.ts';
import { closedWindow } from '../../model/argocd/sync-windows.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';
import { isOpen } from '../../systems/temporal/runs.ts';
import { keptLogs } from '../kept-logs.ts';
import { ownAttempt } from '../own-attempt.ts';
import { refuseSource } from './application-source.ts';
import { createHealthLook } from './health-look.ts';
import { createImageLook, type ImageTrouble } from './image-look.ts';
import { createMisplacedLook } from './misplaced-application.ts';
import { createNudge } from './nudge.ts';
import { createPresence } from './release-presence.ts';
import { endLeftover, syncRequest } from './start-sync.ts';
import type { Systems } from '../systems.ts';
import type { Health, WaitActivities } from '../contract.ts';

type WaitSystems = Pick<Systems, 'config' | 'repository' | 'argocd' | 'objects' | 'temporal' | 'recreations'>;
type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/**
 * What people see of a wait, and what the next attempt has to know, in milliseconds since the epoch: when Argo CD was seen to
 * have the operation, and since when the release has been healthy.
 */
const progressSchema = z.object({
  waitsFor: z.string(),
  takenAt: z.number().exactOptional(),
  healthySince: z.number().exactOptional(),
});
type Progress = z.infer<typeof progressSchema>;

/** What is known of the syncs of a release. */
interface SyncSeen {
  /** The one that brings it: the promotion's own, or Argo CD's where that syncs by itself. */
  own: OperationName;
  retries: boolean;
  /** One that still brings what the release replaces, where Argo CD syncs by itself. */
  earlier?: Operation | undefined;
}

/** The judgement is looked at again this often without any news: some of its rules are about time. */
const tickMs = 2000;
/** An operation is lost when another one ends in the same instant; so often in a row, something else is wrong. */
const submissionLimit = 5;
/** Argo CD ends a terminated operation within seconds; past its deadline, a promotion does not wait for long. */
const terminationMs = 30_000;

/**
 * Waits on Argo CD, from the process's one watch. Safe to repeat and late: nothing is changed but its own operation, and one
 * that brings what it replaces.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createWaitActivities(systems: WaitSystems, workDirectory: string): WaitActivities {
  return {
    async awaitHealthy(wait) {
      const { data: earlier } = progressSchema.safeParse(activityInfo().heartbeatDetails);
      const sync: SyncSeen = { own: { id: wait.operationId ?? wait.revision }, retries: false };
      try {
        const progress = earlier ?? { waitsFor: 'news of the Application' };
        return await awaitHealthy(systems, workDirectory, wait, progress, sync);
      } catch (error) {
        // One that was withdrawn, or gave way: a sync at work may end well, one that fails again and again is in the way.
        if (cancellationDetails()?.cancelRequested && sync.retries) {
          const name = applicationName(systems.config, wait.service, wait.environment);
          await systems.argocd.terminate(name, sync.own);
        }
        throw error;
      }
    },
  };
}

async function awaitHealthy(
  systems: WaitSystems,
  workDirectory: string,
  wait: Wait,
  progress: Progress,
  sync: SyncSeen,
): Promise<Health> {
  const { config, argocd, recreations } = systems;
  const name = applicationName(config, wait.service, wait.environment);
  const overlay = overlayPath({ manifests: manifestsPath(config, wait.service) }, wait.environment);
  const { endedAt: rebuiltAt = 0 } = await recreations.last();
  const deadline = deadlineOf(wait, rebuiltAt);
  const presenceOf = createPresence(systems, wait);
  const nudge = createNudge(systems, name, wait);
  const misplaced = createMisplacedLook(systems, wait);
  const withHealth = createHealthLook(argocd, name);
  const troubleOfImage = createImageLook(systems, wait, workDirectory);
  const { bake, mayBeDegraded } = environmentOf(config, wait.environment);
  const mayBeDegradedMs = Object.fromEntries(
    Object.entries(mayBeDegraded).map(([kind, most]) => [kind, milliseconds(most)]),
  );
  const wanted = { ...wait, since: Date.now(), mayBeDegradedMs };
  const bakeMs = bake === undefined ? 0 : milliseconds(bake);
  let submissions = 0;
  let nudged = wait.operationId !== undefined;
  // Each heartbeat is billed, so there is one when there is news.
  function tell(news: Partial<Progress>): void {
    if (news.waitsFor === progress.waitsFor) return;
    Object.assign(progress, news);
    heartbeat(progress);
  }
  /** Explains first, then ends its own operation, so that nothing goes on that nobody waits for and that holds up a fix. */
  async function fail(reason: string, application: Application | undefined): Promise<Health> {
    const result = await failure(systems, wait, reason, application);
    await terminate(argocd, name, sync.own);
    if (sync.earlier) await endLeftover(argocd, name, sync.earlier);
    return result;
  }
  heartbeat(progress);

  for await (const { application: sighted, unreachable } of argocd.changes(
    name,
    tickMs,
    cancellationSignal(),
  )) {
    const application = sighted && (await withHealth(sighted));
    const refusal = application
      ? refuseSource(config, application, overlay)
      : unreachable === undefined && (await misplaced());
    if (refusal) {
      await terminate(argocd, name, sync.own);
      return { state: 'failed', reason: refusal, ...seen(application) };
    }
    // Without asking Git first, which takes as long as Argo CD needs to begin.
    const unseen = application && !nudged && application.sync.revision !== wait.revision;
    nudged ||= application !== undefined;
    const [presence] = await Promise.all([
      presenceOf(application).catch((error: unknown) => String(error)),
      unseen && nudge(application),
    ]);
    const operation = application?.operation;
    const has = wait.operationId !== undefined && operation?.id === wait.operationId;
    if (has && progress.takenAt === undefined) tell({ takenAt: Date.now() });
    // One that was seen before the cluster was rebuilt is lost with it.
    const taken = (progress.takenAt ?? 0) > rebuiltAt;
    const judgement =
      typeof presence === 'string'
        ? ({ state: 'waiting', for: `the repository (${presence})` } as const)
        : judge(application, { ...wanted, taken }, presence, Date.now());
    if (typeof presence !== 'string') noteSync(sync, wait, operation, presence);
    // One at work may be a migration, which is better not broken off.
    if (sync.earlier && isRetrying(sync.earlier)) await endLeftover(argocd, name, sync.earlier);
    if (judgement.state === 'overtaken') return judgement;
    if (judgement.state === 'failed') return fail(judgement.reason, application);
    if (judgement.state !== 'healthy') delete progress.healthySince;
    else progress.healthySince = healthySince(application, progress);
    let trouble: ImageTrouble | undefined;
    if (application && judgement.state === 'healthy' && Date.now() - (progress.healthySince ?? 0) >= bakeMs) {
      trouble = await troubleOfImage(application, judgement.revision);
      if (!trouble) return { ...judgement, ...seen(application) };
      if (trouble.lasting) return fail(trouble.what, application);
    }
    if (application && 'drifted' in judgement && judgement.drifted !== undefined) {
      trouble = await troubleOfImage(application, judgement.drifted);
    }
    if (judgement.state === 'lost') {
      submissions += 1;
      if (submissions > submissionLimit) {
        return fail(`Argo CD lost the sync ${submissionLimit} times.`, application);
      }
      await submitAgain(systems, name, wait);
    }
    const awaited = trouble && !trouble.lasting ? trouble.what : describe(judgement);
    tell({ waitsFor: unreachable === undefined ? awaited : `the cluster (${unreachable})` });
    if ('stale' in judgement && application) await nudge(application);
    if (Date.now() >= deadline) {
      const window = application && (await windowClosed(argocd, application));
      const remedy = trouble?.remedy === undefined ? '' : ` ${trouble.remedy}`;
      return fail(
        `Not healthy in time: ${name} waited for ${progress.waitsFor}.${window ?? ''}${remedy}`,
        application,
      );
    }
  }
  throw new Error('The watch of Argo CD ended.'); // Never: it ends by throwing only.
}

/** What an earlier attempt saw counts as long as Argo CD has seen nothing else since. */
const healthySince = (application: Application | undefined, { healthySince: seen }: Progress): number =>
  seen !== undefined && (application?.health.since ?? Infinity) <= seen ? seen : Date.now();

/** Why Argo CD did not begin to sync by itself, if a window kept it from that. */
async function windowClosed(argocd: ArgoCd, application: Application): Promise<string | undefined> {
  const { project, automated, sync } = application;
  if (!automated || sync.status === 'Synced') return undefined;
  const window = closedWindow(await argocd.syncWindows(project), application, Date.now(), 'argocd');
  return window && ` The sync window of project ${project} is closed: ${window}`;
}

function noteSync(
  sync: SyncSeen,
  { operationId }: Wait,
  operation: Operation | undefined,
  { synced }: ReleasePresence,
): void {
  const { automated, revision } = operation ?? {};
  const following = operationId === undefined && revision !== undefined;
  if (following && automated && synced === 'here') sync.own = { automatedAt: revision };
  sync.earlier = following && synced === 'behind' ? operation : undefined;
  sync.retries = operation !== undefined && isNamed(operation, sync.own) && isRetrying(operation);
}

/** A wait during which the cluster was rebuilt has its whole time again from then on. */
function deadlineOf({ deadline }: Wait, rebuiltAt: number): number {
  const own = Date.parse(deadline);
  return Math.max(own, rebuiltAt + own - activityInfo().scheduledTimestampMs);
}

function describe(judgement: Judgement): string {
  if (judgement.state === 'waiting') return judgement.for;
  return judgement.state === 'healthy'
    ? 'it to stay healthy'
    : 'the sync, which was lost and asked for again';
}

const seen = (application: Application | undefined) => ({
  health: application?.health.status ?? 'Missing',
  sync: application?.sync.status ?? 'Unknown',
});

async function failure(
  { config, argocd, objects }: WaitSystems,
  { release, service, environment }: Wait,
  reason: string,
  application: Application | undefined,
): Promise<Health> {
  const { keep, logs } = keptLogs(objects, (container) =>
    objectKeys.podLog(release.change, environment, ownAttempt(), container),
  );
  const explanation = await argocd.explain(applicationName(config, service, environment), keep);
  return {
    state: 'failed',
    reason: `${reason}\n${explanation}`.trimEnd(),
    ...(logs.length > 0 && { logs }),
    ...seen(application),
  };
}

async function terminate(argocd: ArgoCd, name: string, operation: OperationName): Promise<void> {
  await argocd.terminate(name, operation);
  const end = Date.now() + terminationMs;
  for await (const { application } of argocd.changes(name, tickMs, cancellationSignal())) {
    const { requested, operation: current } = application ?? {};
    if (!requested || !current || !isNamed(current, operation) || Date.now() >= end) return;
  }
}

/** The same operation under the same ID; its evidence was checked when it was asked for first, and is immutable. */
async function submitAgain({ argocd, temporal }: WaitSystems, name: string, wait: Wait): Promise<void> {
  const { workflowExecution } = activityInfo();
  const { operationId, release, revision } = wait;
  if (operationId === undefined || !workflowExecution || !(await isOpen(temporal, workflowExecution))) return;
  await argocd.startOperation(name, syncRequest(release.change, revision, operationId));
}
