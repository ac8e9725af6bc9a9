import { applicationName } from '../../config/environments.ts';
import { manifestsPath, releasePath } from '../../config/paths.ts';
import type { Deployed } from '../../model/promotion/promotion.ts';
import { unlessMissing, type Repository } from '../../systems/git/index.ts';
import { writtenRelease } from '../promotion/written-release.ts';
import type { Systems } from '../systems.ts';
import type { Place } from '../contract.ts';

/** What Argo CD runs of a service in an environment, as far as this program wrote it. @throws GitError */
export async function runningRelease(
  { config, repository, sourceOf, argocd }: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'argocd'>,
  { environment, service }: Place,
): Promise<Deployed | undefined> {
  const application = await argocd.application(applicationName(config, service, environment));
  // Not what it compares with: where it does not sync by itself, that is the branch's head.
  const revision = application?.deployedRevision;
  if (revision === undefined) return undefined;
  const folder = releasePath({ manifests: manifestsPath(config, service) }, environment);
  // The branch was rewritten since: nobody must be stuck for that.
  return unlessMissing(deployedBy(repository, sourceOf(service), revision, folder), undefined);
}

async function deployedBy(
  repository: Repository,
  source: Repository,
  revision: string,
  folder: string,
): Promise<Deployed | undefined> {
  const release = await writtenRelease(repository, revision, folder);
  if (!release) return undefined;
  const { change, source: { manifests } = {}, image } = release;
  const position = await source.position(change.commit);
  if (position === undefined) return undefined;
  // Of manifests that are not on the branch nobody knows who wrote them.
  if (manifests !== undefined && (await repository.position(manifests)) === undefined) return undefined;
  return {
    ...{ change, position, revision },
    ...(manifests !== undefined && { manifests }),
    ...(image && { image }),
    at: new Date().toISOString(),
  };
}
