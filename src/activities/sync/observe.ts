import { applicationName, environmentOf, isConfigured } from '../../config/environments.ts';
import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import type { Application } from '../../model/argocd/application.ts';
import { liveOf, type Promoted, type Synced } from '../../model/promotion/drift.ts';
import type { ArgoCd } from '../../systems/argocd/index.ts';
import { unlessMissing, type Repository } from '../../systems/git/index.ts';
import { writtenRelease } from '../promotion/written-release.ts';
import type { Observed, ObserveActivities, Place } from '../contract.ts';
import { withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** Somebody looks at a screen: what the cluster has not said by then is told as unknown. */
const answerWithinMs = 4000;

/** Reads only, from the process's one watch; Git is asked where Argo CD synced another commit than was promoted. */
export function createObserveActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'argocd'>,
): ObserveActivities {
  return {
    async observe({ places }) {
      const signal = AbortSignal.timeout(answerWithinMs);
      // What was promoted is known of environments that are configured no more, too.
      const known = places.filter((place) => isConfigured(systems.config, place.environment));
      return withGit(() => Promise.all(known.map((place) => observed(systems, place, signal))));
    },
  };
}

async function observed(
  systems: Pick<Systems, 'config' | 'repository' | 'argocd'>,
  { promoted, ...place }: Place & { promoted?: Promoted },
  signal: AbortSignal,
): Promise<Observed> {
  const name = applicationName(systems.config, place.service, place.environment);
  const application = await sighted(systems.argocd, name, signal);
  const synced = await syncedRelease(systems, place, application, promoted);
  return { ...place, ...liveOf(name, application, promoted, synced) };
}

async function sighted(argocd: ArgoCd, name: string, signal: AbortSignal): Promise<Application | undefined> {
  for await (const { application, unreachable } of argocd.changes(name, answerWithinMs, signal)) {
    if (unreachable !== undefined) throw new Error(`The cluster cannot be reached: ${unreachable}`);
    return application;
  }
  throw new Error('The watch of Argo CD ended.'); // Never: it ends by throwing only.
}

async function syncedRelease(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  { environment, service }: Place,
  application: Application | undefined,
  promoted: Promoted | undefined,
): Promise<Synced> {
  const revision = application?.deployedRevision;
  if (!promoted || revision === undefined || revision === promoted.revision) return { differs: false };
  const place = { manifests: manifestsPath(config, service) };
  const release = releasePath(place, environment);
  // Where Argo CD syncs by itself, people's overlay comes with the branch.
  const isPromoted = environmentOf(config, environment).sync === 'manual';
  const paths = { release, promoted: isPromoted ? overlayPath(place, environment) : release };
  // A commit that nobody has any more: somebody has rewritten the branch.
  return unlessMissing(compared(repository, revision, promoted.revision, paths), { differs: true });
}

async function compared(
  repository: Pick<Repository, 'object' | 'read'>,
  revision: string,
  promoted: string,
  paths: { release: string; promoted: string },
): Promise<Synced> {
  const isSame = async (path: string): Promise<boolean> =>
    (await repository.object(revision, path)) === (await repository.object(promoted, path));
  if (await isSame(paths.promoted)) return { differs: false };
  const change = (await writtenRelease(repository, revision, paths.release))?.change;
  const overlay = await isSame(paths.release);
  return { differs: true, ...(change && { change }), ...(overlay && { overlay }) };
}
