import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { milliseconds } from '../config/duration.ts';
import { applicationName, environmentOf, manifestsPath, overlayPath, releasePath } from '../config/places.ts';
import type { Config } from '../config/schema.ts';
import type { Application } from '../model/application.ts';
import { judge, type Judgement, type Standing, type Standings } from '../model/application-health.ts';
import { closedWindow } from '../model/sync-windows.ts';
import type { ArgoCd } from '../systems/argocd/index.ts';
import { GitError } from '../systems/git/index.ts';
import type { Repository } from '../systems/git/repository.ts';
import { isOpen } from '../systems/temporal/runs.ts';
import { syncRequest } from './sync.ts';
import type { Health, WaitActivities } from './types.ts';

interface Systems {
  config: Config;
  repository: Repository;
  argocd: ArgoCd;
  temporal: Client;
}
type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/** The judgement is looked at again this often without any news: some of its rules are about time. */
const tickMs = 2000;
const heartbeatMs = 5000;
/** A refresh is asked for again when Argo CD's look stays too old: soon at first, then not to be in its way. */
const firstRefreshPauseMs = 2000;
const longestRefreshPauseMs = 30_000;
/** So long after it was asked for, an attempt still is the first to know of the commit. */
const freshMs = 10_000;
/** What Argo CD gives to the syncs that it starts by itself. */
const automatedRetries = 5;
/** An operation is lost when another one ends in the same instant; so often in a row, something else is wrong. */
const submissionLimit = 5;
/** Argo CD ends a terminated operation within seconds; past its deadline, a promotion does not wait for long. */
const terminationMs = 30_000;

/** Waits on Argo CD, from the process's one watch. Safe to repeat and late: nothing is changed but its own operation. */
export function createWaitActivities(systems: Systems): WaitActivities {
  return {
    async awaitHealthy(wait) {
      const state = { waitsFor: 'news of the Application' };
      const beat = setInterval(() => heartbeat(state.waitsFor), heartbeatMs);
      try {
        return await awaitHealthy(systems, wait, state);
      } finally {
        clearInterval(beat);
      }
    },
  };
}

async function awaitHealthy(systems: Systems, wait: Wait, state: { waitsFor: string }): Promise<Health> {
  const { config, argocd } = systems;
  const name = applicationName(config, wait.service, wait.environment);
  const deadline = Date.parse(wait.deadline);
  const standingsOf = createStandings(systems, wait);
  const hurry = createHurry(systems, wait);
  const wanted = { ...wait, since: Date.now() };
  const { bake } = environmentOf(config, wait.environment);
  const bakeMs = bake === undefined ? 0 : milliseconds(bake);
  let healthySince: number | undefined;
  let submissions = 0;
  let hurried = wait.operationId !== undefined;

  for await (const { application, unreachable } of argocd.changes(name, tickMs, cancellationSignal())) {
    // Without asking Git first, which takes as long as Argo CD needs to begin.
    const unseen = application && !hurried && application.sync.revision !== wait.revision;
    hurried ||= application !== undefined;
    const [standings] = await Promise.all([
      standingsOf(application).catch((error: unknown) => String(error)),
      unseen && hurry(application),
    ]);
    const judgement =
      typeof standings === 'string'
        ? ({ state: 'waiting', for: `the repository (${standings})` } as const)
        : judge(application, wanted, standings, Date.now());
    if (judgement.state === 'overtaken') return judgement;
    if (judgement.state === 'failed') return failure(argocd, name, judgement.reason, application);
    healthySince = judgement.state === 'healthy' ? (healthySince ?? Date.now()) : undefined;
    if (judgement.state === 'healthy' && Date.now() - (healthySince ?? 0) >= bakeMs) {
      return { ...judgement, ...seen(application) };
    }
    if (judgement.state === 'lost') {
      submissions += 1;
      if (submissions > submissionLimit) {
        return failure(argocd, name, `Argo CD lost the sync ${submissionLimit} times.`, application);
      }
      await submitAgain(systems, name, wait);
    }
    state.waitsFor = describe(judgement);
    if (unreachable !== undefined) state.waitsFor = `the cluster (${unreachable})`;
    if ('stale' in judgement && application) await hurry(application);
    if (Date.now() >= deadline) return giveUp(argocd, name, wait, state.waitsFor, application);
  }
  throw new Error('The watch of Argo CD ended.'); // It does not: it only throws.
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
  argocd: ArgoCd,
  name: string,
  reason: string,
  application: Application | undefined,
): Promise<Health> {
  const explanation = await argocd.explain(name);
  return { state: 'failed', reason: `${reason}\n${explanation}`.trimEnd(), ...seen(application) };
}

/** At the deadline: explains first, then ends its own operation, so that nothing goes on that nobody waits for. */
async function giveUp(
  argocd: ArgoCd,
  name: string,
  { operationId }: Wait,
  waitedFor: string,
  application: Application | undefined,
): Promise<Health> {
  const result = await failure(
    argocd,
    name,
    `Not healthy in time: ${name} waited for ${waitedFor}.`,
    application,
  );
  if (operationId !== undefined) await terminate(argocd, name, operationId);
  return result;
}

async function terminate(argocd: ArgoCd, name: string, operationId: string): Promise<void> {
  await argocd.terminate(name, operationId);
  const end = Date.now() + terminationMs;
  for await (const { application } of argocd.changes(name, tickMs, cancellationSignal())) {
    const { requested, operation } = application ?? {};
    if (!requested || operation?.id !== operationId || Date.now() >= end) return;
  }
}

/** The same operation under the same ID; its evidence was checked when it was asked for first, and is immutable. */
async function submitAgain({ argocd, temporal }: Systems, name: string, wait: Wait): Promise<void> {
  const { workflowExecution } = activityInfo();
  const { operationId, release, revision } = wait;
  if (operationId === undefined || !workflowExecution || !(await isOpen(temporal, workflowExecution))) return;
  await argocd.startOperation(name, syncRequest(release.change, revision, operationId));
}

/**
 * Argo CD polls the repository every few minutes, and a refresh makes it compare before it syncs: where it syncs by
 * itself, an operation as it would start one saves that. Only right after the commit: a late attempt might be overtaken
 * by a newer one, which is Argo CD's own to find out.
 *
 * @returns whether it was started
 */
async function syncAtOnce(
  { argocd, temporal }: Systems,
  application: Application,
  { release, revision }: Wait,
): Promise<boolean> {
  const { automated, requested, name, project } = application;
  const { attempt, scheduledTimestampMs, workflowExecution } = activityInfo();
  const late = attempt > 1 || Date.now() - scheduledTimestampMs > freshMs;
  if (!automated || requested || late || !workflowExecution) return false;
  const [windows, wanted] = await Promise.all([
    argocd.syncWindows(project),
    isOpen(temporal, workflowExecution),
  ]);
  if (!wanted || closedWindow(windows, application, Date.now()) !== undefined) return false;
  const request = {
    ...syncRequest(release.change, revision, revision),
    ...automated,
    retries: automatedRetries,
  };
  const started = await argocd.startOperation(name, request);
  return started.state === 'ours';
}

/** Makes Argo CD look again, or sync at once; not more often than it can follow. */
function createHurry(systems: Systems, wait: Wait): (application: Application) => Promise<void> {
  let pause = firstRefreshPauseMs;
  let next = 0;
  let first = wait.operationId === undefined;
  return async (application) => {
    if (Date.now() < next) return;
    next = Date.now() + pause;
    pause = Math.min(longestRefreshPauseMs, pause * 2);
    try {
      if (first && (await syncAtOnce(systems, application, wait))) return;
      await systems.argocd.refresh(application.name);
    } catch (error) {
      // Argo CD looks by itself too, only later; and the watch tells when the cluster is away.
      log.warn('Argo CD was not hurried', { application: application.name, error: String(error) });
    } finally {
      first = false;
    }
  };
}

/** Asks the repository how the release stands in the revisions that Argo CD names; each answer holds for ever. */
function createStandings({ config, repository }: Systems, wait: Wait) {
  const { environment, service, revision: wanted, tree } = wait;
  const manifests = manifestsPath(config, service);
  const overlay = overlayPath({ manifests }, environment);
  const release = releasePath({ manifests }, environment);
  const known = new Map<string, Standing>([[wanted, 'here']]);
  const same = new Map<string, boolean>([[wanted, true]]);

  async function standing(revision: string | undefined): Promise<Standing> {
    if (revision === undefined) return 'behind';
    const found = known.get(revision) ?? (await ask(revision));
    known.set(revision, found);
    return found;
  }

  async function ask(revision: string): Promise<Standing> {
    try {
      if (!(await repository.isAncestor(wanted, revision))) return 'behind';
    } catch (error) {
      if (error instanceof GitError && error.kind === 'missing') return 'behind'; // Rewritten history.
      throw error;
    }
    return (await repository.object(revision, release)) === tree ? 'here' : 'replaced';
  }

  async function isSame(revision: string | undefined): Promise<boolean> {
    if (wait.operationId === undefined) return true;
    if (revision === undefined) return false;
    const found =
      same.get(revision) ??
      (await repository.object(revision, overlay)) === (await repository.object(wanted, overlay));
    same.set(revision, found);
    return found;
  }

  return async (application: Application | undefined): Promise<Standings> => ({
    compared: await standing(application?.sync.revision),
    synced: await standing(application?.operation?.revision),
    deployed: await standing(application?.deployedRevision),
    headIsSame: await isSame(application?.sync.revision),
  });
}
