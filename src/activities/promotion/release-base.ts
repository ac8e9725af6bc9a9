import type { Service } from '../../config/services.ts';
import type { WrittenRelease } from '../../model/promotion/release.ts';
import { GitError, type Repository } from '../../systems/git/index.ts';

/**
 * The Git tree that a release of a service has to hold as its base: as its change has it, or the commit of the manifests'
 * repository that it names. Undefined also for a commit that nobody has: a release that was written by hand may name any.
 *
 * @param repository the manifests'
 */
export async function baseOf(
  repository: Pick<Repository, 'object'>,
  { manifests, source: elsewhere }: Service,
  { change, source }: WrittenRelease,
): Promise<string | undefined> {
  const commit = elsewhere ? source?.manifests : change.commit;
  // Where the service has moved to another repository since, the release tells it as it was.
  if (commit === undefined || (!elsewhere && source)) return undefined;
  try {
    return await repository.object(commit, `${manifests}/base`);
  } catch (error) {
    if (error instanceof GitError && error.kind === 'missing') return undefined;
    throw error;
  }
}
