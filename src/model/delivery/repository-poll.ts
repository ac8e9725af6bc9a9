import { z } from 'zod';
import { nameSchema, shaSchema } from '../names.ts';
import { changeSchema } from './change.ts';

/** What the last poll of the repository saw; the next one tells what changed since. */
export const repositorySeenSchema = z.object({
  /** Tip of the protected branch. */
  tip: shaSchema,
  /** Those of the repositories that hold only the source of services, by their keys. */
  sources: z.record(z.string(), shaSchema).exactOptional(),
  /** Changes that are delivered once more when what is under way has ended: their manifests are newer. */
  owed: z.array(changeSchema).exactOptional(),
  /** Open promotion pull requests, by number: where they lead, and when the forge last changed them. */
  pullRequests: z.record(
    z.string(),
    z.object({ environment: nameSchema, service: nameSchema, updatedAt: z.string() }),
  ),
});
export type RepositorySeen = z.infer<typeof repositorySeenSchema>;

/** A pull request that changed, and the environment that it concerns. */
export interface PullRequestNews {
  number: number;
  environment: string;
  service: string;
}

/** Those that are new, changed, or no longer open: forges do not send lost webhooks again. */
export function pullRequestNews(
  before: RepositorySeen['pullRequests'],
  now: RepositorySeen['pullRequests'],
): PullRequestNews[] {
  return Object.entries({ ...before, ...now })
    .filter(([number]) => now[number]?.updatedAt !== before[number]?.updatedAt)
    .map(([number, { environment, service }]) => ({ number: Number(number), environment, service }));
}
