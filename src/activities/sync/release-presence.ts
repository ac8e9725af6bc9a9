import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { Presence, ReleasePresence } from '../../model/argocd/application-health.ts';
import { unlessMissing } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';
import type { WaitActivities } from '../contract.ts';

type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/** Asks the repository whether the revisions that Argo CD names hold the release; each answer holds for ever. */
export function createPresence({ config, repository }: Pick<Systems, 'config' | 'repository'>, wait: Wait) {
  const { environment, service, revision: wanted, tree } = wait;
  const manifests = manifestsPath(config, service);
  const overlay = overlayPath({ manifests }, environment);
  const release = releasePath({ manifests }, environment);
  const known = new Map<string, Presence>([[wanted, 'here']]);
  const same = new Map<string, boolean>([[wanted, true]]);

  async function presenceIn(revision: string | undefined): Promise<Presence> {
    if (revision === undefined) return 'behind';
    const found = known.get(revision) ?? (await ask(revision));
    known.set(revision, found);
    return found;
  }

  async function ask(revision: string): Promise<Presence> {
    if (!(await unlessMissing(repository.isAncestor(wanted, revision), false))) return 'behind';
    return (await repository.object(revision, release)) === tree ? 'here' : 'replaced';
  }

  async function isSame(revision: string | undefined): Promise<boolean> {
    if (wait.operationId === undefined) return true;
    if (revision === undefined) return false;
    const found =
      same.get(revision) ??
      (await unlessMissing(repository.object(revision, overlay), undefined)) ===
        (await repository.object(wanted, overlay));
    same.set(revision, found);
    return found;
  }

  return async (application: Application | undefined): Promise<ReleasePresence> => ({
    compared: await presenceIn(application?.sync.revision),
    synced: await presenceIn(application?.operation?.revision),
    syncedIsSame: await isSame(application?.operation?.revision),
    deployed: await presenceIn(application?.deployedRevision),
    headIsSame: await isSame(application?.sync.revision),
  });
}
