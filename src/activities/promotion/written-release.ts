import { parseReleaseKustomization, type WrittenRelease } from '../../model/promotion/release.ts';
import type { Repository } from '../../systems/git/index.ts';

/**
 * The release that a `release/` folder says it holds at a revision, if this program wrote that.
 *
 * @throws GitError
 */
export async function writtenRelease(
  repository: Pick<Repository, 'read'>,
  revision: string,
  folder: string,
): Promise<WrittenRelease | undefined> {
  return parseReleaseKustomization((await repository.read(revision, `${folder}/kustomization.yaml`)) ?? '');
}
