import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { Standing, Standings } from '../../model/argocd/application-health.ts';
import { GitError } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';
import type { WaitActivities } from '../contract.ts';

type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/** Asks the repository how the release stands in the revisions that Argo CD names; each answer holds for ever. */
export function createStandings({ config, repository }: Pick<Systems, 'config' | 'repository'>, wait: Wait) {
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
