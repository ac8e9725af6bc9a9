import { changeName, type Change } from '../../model/delivery/change.ts';
import { removalOf, type Removal } from '../delivery/removal-of.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** @throws Refused: the change removes nothing, or the service has come back since */
export function evidenceOf(
  systems: Pick<Systems, 'config' | 'repository'>,
  change: Change,
): Promise<Removal> {
  const { repository } = systems;
  return withGit(async () => {
    const tip = await repository.tip();
    if ((await repository.position(change.commit, tip)) === undefined) {
      throw refused(`${change.commit} is not on the protected branch any more, so nothing is removed.`);
    }
    const removal = await removalOf(systems, change);
    if (!removal) throw refused(`${changeName(change)} does not remove ${change.service}.`);
    if ((await repository.object(tip, removal.manifests)) === undefined) return removal;
    throw refused(
      `${change.service} is in the repository again at ${tip} (${removal.manifests}), so nothing is removed. Deliver it as it is there.`,
    );
  });
}
