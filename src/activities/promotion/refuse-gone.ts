import { changeName, type Release } from '../../model/delivery/change.ts';
import { unlessMissing } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';

/**
 * People rewrite a branch to get rid of what is on it, while its deliveries are on their way: a pull request that was
 * opened before would bring it all back.
 *
 * @param tip of the protected branch of the manifests' repository, just fetched
 */
export async function refuseGone(
  { repository, sourceOf }: Pick<Systems, 'repository' | 'sourceOf'>,
  { change, source: { manifests } }: Pick<Release, 'change' | 'source'>,
  tip: string,
): Promise<string | undefined> {
  const source = sourceOf(change.service);
  const branch = source === repository ? tip : await source.tip();
  if (!(await unlessMissing(source.isAncestor(change.commit, branch), false))) {
    return `${changeName(change)} is not on the protected branch any more: somebody rewrote it. Deliver a commit that is.`;
  }
  if (manifests === undefined || (await unlessMissing(repository.isAncestor(manifests, tip), false))) {
    return undefined;
  }
  return `${manifests}, of which ${changeName(change)} has its manifests, is not on the protected branch any more: somebody rewrote it. Deliver the change again.`;
}
