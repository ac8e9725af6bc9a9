import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { applicationName, applicationNamespace, environmentOf } from '../../config/environments.ts';
import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import {
  isRetrying,
  isUnfinished,
  type Application,
  type Operation,
} from '../../model/argocd/application.ts';
import { changeName, type Change } from '../../model/delivery/change.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { releaseKustomization } from '../../model/promotion/release.ts';
import { closedWindow } from '../../model/argocd/sync-windows.ts';
import type { SyncRequest, ArgoCd, Sighting } from '../../systems/argocd/index.ts';
import { KubernetesError } from '../../systems/kubernetes/index.ts';
import { releaseTree } from '../../systems/git/release-tree.ts';
import { getJson } from '../../systems/objects/index.ts';
import { wantedBy } from '../../systems/temporal/runs.ts';
import { refuseSource } from './application-source.ts';
import { refuseMisplaced } from './misplaced-application.ts';
import { buildRecordSchema } from '../delivery/build-records.ts';
import { later, outlived, withCluster, withGit, withObjects } from '../failures.ts';
import { digestOf } from '../promotion/difference.ts';
import { renderWanted } from '../promotion/render-wanted.ts';
import { createRenderer } from '../promotion/renderer.ts';
import { refuseUnasked, refuseWeaker } from '../promotion/settings.ts';
import { knownService } from '../delivery/known-service.ts';
import { baseOf } from '../promotion/release-base.ts';
import { writtenRelease } from '../promotion/written-release.ts';
import type { Systems } from '../systems.ts';
import type { SyncActivities } from '../contract.ts';

type Sync = Parameters<SyncActivities['startSync']>[0];
type SyncSystems = Pick<
  Systems,
  'config' | 'repository' | 'sourceOf' | 'argocd' | 'objects' | 'temporal' | 'recreations'
>;

/** Where Applications are made by an app-of-apps, they lag behind; one that is not there by then is a mistake. */
const absentMs = 10 * 60_000;
/** An operation of a promotion that ended is given this long to end as well: it may be about to. */
const leftoverMs = 2 * 60_000;

/**
 * Safe to repeat, side by side and late: the operation's ID finds its own, and an outlived attempt starts nothing. Where
 * something is in the way it waits for nothing, which would take the place of others, but fails as expected and comes again.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createSyncActivities(systems: SyncSystems, workDirectory: string): SyncActivities {
  const { config, argocd, temporal, recreations } = systems;
  const renderer = createRenderer(systems, workDirectory);

  return { startSync: (sync) => withCluster(() => start(sync)) };

  async function start(sync: Sync): ReturnType<SyncActivities['startSync']> {
    const unwanted = {
      state: 'refused',
      reason: outlived,
    } as const;
    const wanted = wantedBy(temporal, sync.asker);
    if (!(await wanted())) return unwanted;
    const { environment, service, release, revision, operationId } = sync;
    const name = applicationName(config, service, environment);
    /** What an earlier attempt may have started is ended, too. */
    const refuse = async (reason: string) => {
      await argocd.terminate(name, { id: operationId });
      return { state: 'refused', reason } as const;
    };
    const refuseLess = sync.merged ? refuseWeaker : refuseUnasked;
    const weaker = sync.approval && refuseLess(config, environment, sync.approval);
    if (weaker !== undefined) return refuse(weaker);
    const forged = await withGit(() => refuseEvidence(systems, sync));
    if (forged !== undefined) return refuse(forged);

    const { application, unreachable, cause } = await lookAt(argocd, name);
    if (cause instanceof KubernetesError && cause.lasting) throw cause;
    if (unreachable !== undefined) throw later('Busy', `Waits for the cluster (${unreachable}).`);
    if (!application) {
      const misplaced = await refuseMisplaced(systems, sync);
      if (misplaced !== undefined) return { state: 'refused', reason: misplaced };
      const { endedAt: rebuiltAt = 0 } = await recreations.last();
      const since = Math.max(activityInfo().scheduledTimestampMs, rebuiltAt);
      if (Date.now() - since <= absentMs) {
        throw later('Busy', `Waits for Application ${name}, which does not exist.`);
      }
      return {
        state: 'refused',
        reason: `There is no Application ${name} in ${applicationNamespace(config, environment)}. Create it, then deliver the change again.`,
      };
    }
    const refusal = refuseApplication(systems, sync, application);
    if (refusal !== undefined) return refuse(refusal);
    await passWindows(systems, application);
    if (isBusy(application, operationId)) {
      const { operation } = application;
      if (operation?.id !== undefined && operation.id !== operationId) {
        await endLeftover(argocd, name, operation);
      }
      throw later(
        'Busy',
        `Waits for the operation of ${application.operation?.by ?? 'somebody'} on ${name}.`,
      );
    }
    // Days may have gone by in front of a window; one that has begun is judged by what it brings.
    if (!isOurs(application, operationId) && (await isAnother(sync))) return { state: 'changed' };
    if (!(await wanted())) return unwanted;
    const started = await argocd.startOperation(name, syncRequest(release.change, revision, operationId));
    if (started.state === 'ours') return { state: 'started' };
    throw later(
      'Busy',
      started.state === 'busy'
        ? `Waits for the operation of ${started.by} on ${name}.`
        : `Application ${name} changed meanwhile; it is looked at again.`,
    );
  }

  /** Whether what would run is not what people approved: the Application has settings of its own, and so has Argo CD. */
  async function isAnother({ environment, release, revision, approved }: Sync): Promise<boolean> {
    if (approved === undefined) return false;
    const target = { environment, release, revision, shownAs: revision };
    const { manifests } = await renderer.inScratch((scratch) =>
      renderWanted(systems, renderer, scratch, target),
    );
    return digestOf(manifests) !== approved;
  }
}

/** The watch tells nothing before its first list of a cluster's Applications, which takes seconds. */
const firstLookMs = 5000;

async function lookAt(argocd: ArgoCd, name: string): Promise<Sighting> {
  for await (const sighting of argocd.changes(name, firstLookMs, cancellationSignal())) return sighting;
  throw new Error('The watch of Argo CD ended.'); // Never: it ends by throwing only.
}

/** With prune, or what the release dropped would run on; tried again only as often as the Application says. */
export const syncRequest = (change: Change, revision: string, id: string): SyncRequest => ({
  id,
  revisions: [revision],
  prune: true,
  retries: 0,
  reason: `Delivers ${changeName(change)}`,
});

/**
 * Only what a recorded build of this very change produced may run: read from the repository and the object store again,
 * since whoever reaches the task queue can write the input of an activity.
 */
async function refuseEvidence(systems: SyncSystems, sync: Sync): Promise<string | undefined> {
  const { repository, objects } = systems;
  const { environment, release, revision } = sync;
  const { change } = release;
  if (change.service !== sync.service) return `${changeName(change)} is no change of ${sync.service}.`;
  const tip = await repository.tip();
  if ((await repository.position(revision, tip)) === undefined) {
    return `${revision} is not on the protected branch, so it is not synced.`;
  }
  const service = await knownService(systems, sync.service, revision);
  if (service.source && (await systems.sourceOf(service.name).position(change.commit)) === undefined) {
    return `${changeName(change)} is not on the protected branch of its source any more, so it is not synced.`;
  }
  const path = releasePath(service, environment);
  const written = await writtenRelease(repository, revision, path);
  const { manifests } = release.source ?? {};
  if (
    !written ||
    changeName(written.change) !== changeName(change) ||
    written.source?.manifests !== manifests
  ) {
    return `${path} at ${revision} is not the release of ${changeName(change)}. Look at who wrote it.`;
  }
  if (manifests !== undefined && (await repository.position(manifests, revision)) === undefined) {
    return `${path} at ${revision} has its manifests of ${manifests}, which is not on the protected branch. Look at who wrote it.`;
  }
  const base = await baseOf(systems, service, written);
  const tree = base && releaseTree(base, releaseKustomization(written));
  if (tree === undefined || tree !== (await repository.object(revision, path))) {
    return `${path} at ${revision} holds other manifests than ${changeName(change)}. Look at who wrote it.`;
  }
  if ((await repository.object(tip, path)) !== tree) {
    return `${path} holds another release on the protected branch by now than at ${revision}, which is not synced any more. Deliver the change again, or a newer one.`;
  }
  if (service.image === undefined && !written.image) return undefined;
  const built = await withObjects(() => getJson(objects, objectKeys.build(change), buildRecordSchema));
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

const isOurs = ({ operation, requested }: Application, id: string): boolean =>
  operation?.id === id || requested?.id === id;

const isBusy = ({ operation, requested }: Application, id: string): boolean =>
  (requested !== undefined && requested.id !== id) ||
  (operation !== undefined && isUnfinished(operation) && operation.id !== id);

/** Ends one of a promotion that ended: nobody waits for it any more, and it does not end by itself, or not soon. */
export async function endLeftover(argocd: ArgoCd, name: string, operation: Operation): Promise<void> {
  const { id, phase, automated, revision, startedAt } = operation;
  const lasts = isRetrying(operation) || Date.now() - startedAt > leftoverMs;
  if (phase !== 'Running' || !lasts) return;
  if (id !== undefined) await argocd.terminate(name, { id });
  else if (automated && revision !== undefined) await argocd.terminate(name, { automatedAt: revision });
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
