import pLimit from 'p-limit';
import { z } from 'zod';
import { parseJson } from '../../model/json.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { Rendered } from '../../model/promotion/promotion.ts';
import type { Commit } from '../../systems/git/index.ts';
import { withObjects } from '../failures.ts';
import type { Systems } from '../systems.ts';
import type { Place } from '../contract.ts';

/** A commit that somebody did not want in an environment, and that a later change brings there all the same. */
export interface Rejected {
  commit: string;
  /** `board-1 rejected it: prices are not final` */
  reason: string;
}

/** Of the newest commits: a pull request names no more of them. */
const mostLookedAt = 50;
const atOnce = 8;
/** In a line; the pull request names all. */
const mostNamed = 3;

const deliverySchema = z.object({
  environments: z.record(z.string(), z.object({ state: z.string(), reason: z.string().default('') })),
});

/** Which of some commits were rejected, as their deliveries' records say; one that cannot be read says nothing. */
export async function rejectedBefore(
  { objects }: Pick<Systems, 'objects'>,
  { environment, service }: Place,
  commits: readonly Commit[],
): Promise<Rejected[]> {
  const looked = await pLimit(atOnce).map(commits.slice(0, mostLookedAt), async ({ sha }) => {
    const key = objectKeys.delivery({ service, commit: sha });
    const found = await withObjects(() => objects.get(key));
    const { data } = deliverySchema.safeParse(parseJson(found?.body ?? ''));
    const { state, reason = '' } = data?.environments[environment] ?? {};
    return state === 'rejected' ? [{ commit: sha, reason }] : [];
  });
  return looked.flat();
}

/** Says so first, to whoever decides. */
export function withRejected(rendered: Rendered, rejected: readonly Rejected[]): Rendered {
  if (rejected.length === 0) return rendered;
  const named = rejected
    .slice(0, mostNamed)
    .map(({ commit, reason }) => `${commit.slice(0, 10)} (${reason})`);
  const more = rejected.length > mostNamed ? ` and ${rejected.length - mostNamed} more` : '';
  return {
    ...rendered,
    summary: `Brings along what was rejected here before: ${named.join(', ')}${more}. ${rendered.summary}`,
  };
}
