import type { SourceActivities } from '../contract.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';

/**
 * Where a commit is on the protected branch's first-parent line, which orders changes.
 *
 * @throws Refused: it is not there
 */
export async function positionOf(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  commit: string,
): Promise<number> {
  const position = await repository.position(commit);
  if (position !== undefined) return position;
  const { branch } = config.repository;
  const merge = await repository.mergeOf(commit);
  if (merge === undefined) {
    throw refused(`${commit} is not on ${branch}. Merge it first; only commits of ${branch} are delivered.`);
  }
  throw refused(`${commit} came to ${branch} by the merge ${merge}. Deliver that one.`);
}

/** Reads only. */
export const createFindPosition = ({
  repository,
}: Pick<Systems, 'repository'>): Pick<SourceActivities, 'findPosition'> => ({
  findPosition: ({ commit }) =>
    withGit(async () => {
      const position = await repository.position(commit);
      return position === undefined ? {} : { position };
    }),
});
