import type { Change } from '../../model/delivery/change.ts';
import { hasCommit } from '../../systems/git/index.ts';
import { later, refused, withCluster, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/**
 * A root that has not seen yet that the Application is gone would bring it back, without its finalizer.
 *
 * @param name of the Application
 * @throws ApplicationFailure `Busy`: so long it is waited for
 * @throws Refused: its manifests have it still
 */
export async function awaitBringer(
  { repository, argocd }: Pick<Systems, 'repository' | 'argocd'>,
  name: string,
  { commit }: Change,
): Promise<void> {
  const bringer = await withCluster(() => argocd.bringerOf(name));
  const root = bringer === undefined ? undefined : await withCluster(() => argocd.application(bringer));
  if (!root?.automated || bringer === undefined) return;
  const { revision } = root.sync;
  if (revision === undefined || !(await withGit(() => hasSeen(revision)))) {
    await withCluster(() => argocd.refresh(bringer));
    throw later('Busy', `Waits until Application ${bringer}, which brings ${name}, has seen ${commit}.`);
  }
  const held = await withCluster(() => argocd.heldBy(bringer));
  const own = held.find((one) => one.kind === 'Application' && one.name === name.split('/').at(-1));
  if (!own || own.requiresPruning) return;
  throw refused(
    `Application ${bringer} still brings ${name} at ${revision}, and would bring it back. Take its manifest away there, too, then deliver the change again.`,
  );

  /** Of another repository nobody can say. */
  async function hasSeen(seen: string): Promise<boolean> {
    return !(await hasCommit(repository, seen)) || repository.isAncestor(commit, seen);
  }
}
