import { branchOf } from '../../config/sources.ts';
import type { Repository } from '../../systems/git/index.ts';
import type { Change } from '../../model/delivery/change.ts';
import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/**
 * Where a change is on the first-parent line of the protected branch of its source, which orders changes.
 *
 * @throws Refused: it is not there
 */
export const positionOf = (
  { config, sourceOf }: Pick<Systems, 'config' | 'sourceOf'>,
  { service, commit }: Change,
): Promise<number> => positionOn(sourceOf(service), branchOf(config, service), commit);

/** @throws Refused: it is not there */
export async function positionOn(
  repository: Pick<Repository, 'position' | 'mergeOf'>,
  branch: string,
  commit: string,
): Promise<number> {
  const position = await repository.position(commit);
  if (position !== undefined) return position;
  const merge = await repository.mergeOf(commit);
  if (merge === undefined) {
    throw refused(`${commit} is not on ${branch}. Merge it first; only commits of ${branch} are delivered.`);
  }
  throw refused(`${commit} came to ${branch} by the merge ${merge}. Deliver that one.`);
}

/** Reads only. */
export const createFindPosition = ({
  repository,
  sourceOf,
}: Pick<Systems, 'repository' | 'sourceOf'>): Pick<SourceActivities, 'findPosition'> => ({
  findPosition: ({ commit, service }) =>
    withGit(async () => {
      const source = service === undefined ? repository : sourceOf(service);
      const position = await source.position(commit);
      return position === undefined ? {} : { position };
    }),
});
