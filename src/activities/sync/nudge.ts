import { activityInfo, log } from '@temporalio/activity';
import type { Application } from '../../model/argocd/application.ts';
import { closedWindow } from '../../model/argocd/sync-windows.ts';
import { automatedRetries } from '../../systems/argocd/index.ts';
import { isOpen } from '../../systems/temporal/runs.ts';
import { refreshPace } from '../refresh-pace.ts';
import { syncRequest } from './start-sync.ts';
import type { Systems } from '../systems.ts';
import type { WaitActivities } from '../contract.ts';

type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/** An attempt this soon after it was scheduled knows of the commit before Argo CD does. */
const freshMs = 10_000;

/**
 * Argo CD polls the repository every few minutes, and a refresh makes it compare before it syncs: where it syncs by
 * itself, an operation as it would start one saves that. Only right after the commit: a late attempt might be overtaken
 * by a newer one, which is Argo CD's own to find out.
 *
 * @returns whether it was started
 */
async function syncAtOnce(
  { argocd, temporal }: Pick<Systems, 'argocd' | 'temporal'>,
  name: string,
  application: Application,
  { release, revision }: Wait,
): Promise<boolean> {
  const { automated, requested, project } = application;
  const { attempt, scheduledTimestampMs, workflowExecution } = activityInfo();
  const late = attempt > 1 || Date.now() - scheduledTimestampMs > freshMs;
  if (!automated || requested || late || !workflowExecution) return false;
  const [windows, wanted] = await Promise.all([
    argocd.syncWindows(project),
    isOpen(temporal, workflowExecution),
  ]);
  if (!wanted || closedWindow(windows, application, Date.now(), 'argocd') !== undefined) return false;
  const request = {
    ...syncRequest(release.change, revision, revision),
    ...automated,
    retries: automatedRetries,
  };
  const started = await argocd.startOperation(name, request);
  return started.state === 'ours';
}

/** Makes Argo CD look again, or sync at once; not more often than it can follow. */
export function createNudge(
  systems: Pick<Systems, 'argocd' | 'temporal'>,
  name: string,
  wait: Wait,
): (application: Application) => Promise<void> {
  const isDue = refreshPace();
  let first = wait.operationId === undefined;
  return async (application) => {
    if (!isDue()) return;
    try {
      if (first && (await syncAtOnce(systems, name, application, wait))) return;
      await systems.argocd.refresh(name);
    } catch (error) {
      // Argo CD looks by itself too, only later; and the watch tells when the cluster is away.
      log.warn('Argo CD could not be nudged', { application: name, error: String(error) });
    } finally {
      first = false;
    }
  };
}
