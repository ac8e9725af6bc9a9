import { changeName } from '../../model/delivery/change.ts';
import type { SeenRelease } from '../contract.ts';
import type { Systems } from '../systems.ts';

/** @param promotion `position`: of the commit that is to be written there, on the protected branch's first-parent line */
export async function refuseOlder(
  { repository, sourceOf }: Pick<Systems, 'repository' | 'sourceOf'>,
  { environment, seen, position }: { environment: string; seen: SeenRelease; position: number },
): Promise<string | undefined> {
  if (seen.change === undefined) return undefined;
  const source = sourceOf(seen.change.service);
  const there = await source.position(seen.change.commit, source === repository ? seen.tip : undefined);
  if (there === undefined || there <= position) return undefined;
  return `${changeName(seen.change)} is newer and is in ${environment} already.`;
}
