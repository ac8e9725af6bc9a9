import { changeName, type Change } from '../../model/delivery/change.ts';
import { GitError, type Repository } from '../../systems/git/index.ts';

/**
 * People rewrite a branch to get rid of what is on it, while its deliveries are on their way: a pull request that was
 * opened before would bring it all back.
 *
 * @param tip of the protected branch, just fetched
 */
export async function refuseGone(
  repository: Pick<Repository, 'isAncestor'>,
  change: Change,
  tip: string,
): Promise<string | undefined> {
  try {
    if (await repository.isAncestor(change.commit, tip)) return undefined;
  } catch (error) {
    if (!(error instanceof GitError) || error.kind !== 'missing') throw error;
  }
  return `${changeName(change)} is not on the protected branch any more: somebody rewrote it. Deliver a commit that is.`;
}
