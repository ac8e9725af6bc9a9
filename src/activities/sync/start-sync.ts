import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { applicationName, environmentOf } from '../../config/environments.ts';
import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import { isUnfinished, type Application } from '../../model/argocd/application.ts';
import { changeName, type Change } from '../../model/delivery/change.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { parseReleaseKustomization } from '../../model/promotion/release.ts';
import { closedWindow } from '../../model/argocd/sync-windows.ts';
import type { SyncRequest } from '../../systems/argocd/index.ts';
import { releaseTree } from '../../systems/git/release-tree.ts';
import { getJson } from '../../systems/objects/index.ts';
import { wantedBy } from '../../systems/temporal/runs.ts';
import { refuseSource } from './application-source.ts';
import { buildRecordSchema } from '../delivery/build-records.ts';
import { withGit } from '../failures.ts';
import { knownService } from '../delivery/known-service.ts';
import type { Systems } from '../systems.ts';
import type { SyncActivities } from '../contract.ts';

type Sync = Parameters<SyncActivities['startSync']>[0];
type SyncSystems = Pick<Systems, 'config' | 'repository' | 'argocd' | 'objects' | 'temporal' | 'recreations'>;

/** An attempt has five minutes: it waits for most of them, and the next one goes on waiting. */
const patienceMs = 4 * 60_000;
const tickMs = 5000;
/** Where Applications are made by an app-of-apps, they lag behind; one that is not there by then is a mistake. */
const absentMs = 10 * 60_000;
/** An operation of a promotion that ended is given this long to end as well: it may be about to. */
const leftoverMs = 2 * 60_000;

/** Safe to repeat, side by side and late: the operation's ID finds its own, and an outlived attempt starts nothing. */
export function createSyncActivities(systems: SyncSystems): SyncActivities {
  const { config, argocd, temporal, recreations } = systems;

  return {
    async startSync(sync) {
      const unwanted = {
        state: 'refused',
        reason: 'The delivery that asked for it is not open any more.',
      } as const;
      const wanted = wantedBy(temporal, sync.asker);
      if (!(await wanted())) return unwanted;
      const forged = await withGit(() => refuseEvidence(systems, sync));
      if (forged !== undefined) return { state: 'refused', reason: forged };

      const { environment, service, release, revision, operationId } = sync;
      const name = applicationName(config, service, environment);
      const { endedAt: rebuiltAt = 0 } = await recreations.last();
      const since = Math.max(activityInfo().scheduledTimestampMs, rebuiltAt);
      const patience = AbortSignal.any([cancellationSignal(), AbortSignal.timeout(patienceMs)]);
      let inTheWay = `Application ${name}, which does not exist`;
      try {
        for await (const { application, unreachable } of argocd.changes(name, tickMs, patience)) {
          if (unreachable !== undefined) inTheWay = `the cluster (${unreachable})`;
          if (!application) {
            if (unreachable === undefined && Date.now() - since > absentMs) {
              return {
                state: 'refused',
                reason: `There is no Application ${name} in ${config.argocd.namespace}. Create it, then deliver the change again.`,
              };
            }
            continue;
          }
          const refusal = refuseApplication(systems, sync, application);
          if (refusal !== undefined) return { state: 'refused', reason: refusal };
          await passWindows(systems, application);
          if (isBusy(application, operationId)) {
            inTheWay = `the operation of ${application.operation?.by ?? 'somebody'} on ${name}`;
            await endLeftover(systems, application, operationId);
            continue;
          }
          if (!(await wanted())) return unwanted;
          const request = syncRequest(release.change, revision, operationId);
          if ((await argocd.startOperation(name, request)).state === 'ours') return { state: 'started' };
        }
      } catch (error) {
        if (!patience.aborted) throw error;
      }
      throw later('Busy', `Waits for ${inTheWay}.`, '5 seconds');
    },
  };
}

/** With prune, or what the release dropped would run on; tried again only as often as the Application says. */
export const syncRequest = (change: Change, revision: string, id: string): SyncRequest => ({
  id,
  revisions: [revision],
  prune: true,
  retries: 0,
  reason: `Delivers ${changeName(change)}`,
});

/** Expected, and over after a while. */
const later = (
  type: string,
  message: string,
  nextRetryDelay: '5 seconds' | '5 minutes',
): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nextRetryDelay, category: ApplicationFailureCategory.BENIGN });

/**
 * Only what a recorded build of this very change produced may run: read from the repository and the object store again,
 * since whoever reaches the task queue can write the input of an activity.
 */
async function refuseEvidence(systems: SyncSystems, sync: Sync): Promise<string | undefined> {
  const { repository, objects } = systems;
  const { environment, release, revision } = sync;
  const { change } = release;
  if (change.service !== sync.service) return `${changeName(change)} is no change of ${sync.service}.`;
  if ((await repository.position(revision)) === undefined) {
    return `${revision} is not on the protected branch, so it is not synced.`;
  }
  const service = await knownService(systems, sync.service, revision);
  const path = releasePath(service, environment);
  const text = (await repository.read(revision, `${path}/kustomization.yaml`)) ?? '';
  const written = parseReleaseKustomization(text);
  if (!written || changeName(written.change) !== changeName(change)) {
    return `${path} at ${revision} is not the release of ${changeName(change)}. Look at who wrote it.`;
  }
  const base = await repository.object(change.commit, `${service.manifests}/base`);
  if (base === undefined || releaseTree(base, text) !== (await repository.object(revision, path))) {
    return `${path} at ${revision} holds other manifests than ${changeName(change)}. Look at who wrote it.`;
  }
  if (service.image === undefined && !written.image) return undefined;
  const built = await getJson(objects, objectKeys.build(change), buildRecordSchema);
  if (
    !written.image ||
    built?.value.name !== written.image.name ||
    built.value.digest !== written.image.digest
  ) {
    return `${path} at ${revision} holds an image that no recorded build of ${changeName(change)} made.`;
  }
  return undefined;
}

function refuseApplication(
  { config }: SyncSystems,
  { environment, service }: Sync,
  application: Application,
): string | undefined {
  const manifests = manifestsPath(config, service);
  const refusal = refuseSource(config, application, overlayPath({ manifests }, environment));
  if (refusal !== undefined) return refusal;
  if (application.automated && environmentOf(config, environment).sync === 'manual') {
    return `Application ${application.name} syncs by itself (spec.syncPolicy.automated), so a merge alone would reach ${environment}. Remove that block.`;
  }
  return undefined;
}

const isBusy = ({ operation, requested }: Application, id: string): boolean =>
  (requested !== undefined && requested.id !== id) ||
  (operation !== undefined && isUnfinished(operation) && operation.id !== id);

/** One that this program started for a promotion that has ended since: nobody else waits for it. */
async function endLeftover(
  { argocd }: SyncSystems,
  { name, operation }: Application,
  id: string,
): Promise<void> {
  if (operation?.id === undefined || operation.id === id) return;
  if (Date.now() - operation.startedAt > leftoverMs) await argocd.terminate(name, operation.id);
}

/** An operation that starts in a closed window stands still, and nobody sees why. */
async function passWindows({ argocd }: SyncSystems, application: Application): Promise<void> {
  const window = closedWindow(await argocd.syncWindows(application.project), application, Date.now());
  if (window !== undefined) {
    throw later(
      'SyncWindowClosed',
      `The sync window of project ${application.project} is closed: ${window}`,
      '5 minutes',
    );
  }
}
