import { changeName } from '../../model/delivery/change.ts';
import type { Repository } from '../../systems/git/index.ts';
import type { SeenRelease } from '../contract.ts';

/** @param promotion `position`: of the commit that is to be written there, on the protected branch's first-parent line */
export async function refuseOlder(
  repository: Pick<Repository, 'position'>,
  { environment, seen, position }: { environment: string; seen: SeenRelease; position: number },
): Promise<string | undefined> {
  const there = seen.change && (await repository.position(seen.change.commit, seen.tip));
  if (seen.change === undefined || there === undefined || there <= position) return undefined;
  return `${changeName(seen.change)} is newer and is in ${environment} already.`;
}
