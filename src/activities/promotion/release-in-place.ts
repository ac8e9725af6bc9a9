import { manifestsPath, releasePath } from '../../config/paths.ts';
import { changeName } from '../../model/delivery/change.ts';
import type { InPlace } from '../../model/promotion/promotion.ts';
import { refused, withGit } from '../failures.ts';
import type { RenderActivities } from '../contract.ts';
import type { Systems } from '../systems.ts';
import { carriedBy, type Carried } from './carried.ts';
import { readRelease } from './read-release.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseUnasked } from './settings.ts';
import { writtenRelease } from './written-release.ts';

/**
 * What a change of the overlay alone goes onto, as the protected branch's tip has it.
 *
 * @throws Refused: another release is there, or none of this program's; too few may decide
 */
export function releaseInPlace(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'argocd' | 'objects'>,
  { environment, release, onto, current, asked }: Parameters<RenderActivities['previewOverlay']>[0],
): Promise<Omit<InPlace, 'rendered'> & Pick<Carried, 'rejected'>> {
  const { config, repository } = systems;
  const { change } = release;

  return withGit(async () => {
    const weaker = refuseUnasked(config, environment, asked);
    if (weaker !== undefined) throw refused(weaker);
    const { tip, tree, change: there } = await readRelease(systems, { environment, service: change.service });
    const gone = await refuseGone(systems, release, tip);
    if (gone !== undefined) throw refused(gone);
    const path = releasePath({ manifests: manifestsPath(config, change.service) }, environment);
    const written = await writtenRelease(repository, tip, path);
    const position = there && (await repository.position(there.commit, tip));
    if (
      !written ||
      tree === undefined ||
      position === undefined ||
      changeName(written.change) !== changeName(onto)
    ) {
      throw refused(
        `${path} does not hold the release of ${changeName(onto)} any more, onto which this change of the overlay goes. Deliver the change again.`,
      );
    }
    const { authors, rejected } = await carriedBy(systems, { environment, release, tip, current });
    return {
      released: { change: written.change, position, ...(written.image && { image: written.image }) },
      tree,
      revision: tip,
      authors,
      rejected,
    };
  });
}
