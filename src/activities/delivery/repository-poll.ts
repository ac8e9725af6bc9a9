import type { Config } from '../../config/schema.ts';
import { sourceRepositories } from '../../config/sources.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { parsePromotionBranch } from '../../model/promotion/promotion-branch.ts';
import { repositorySeenSchema, type RepositorySeen } from '../../model/delivery/repository-poll.ts';
import type { Forge, PullRequest } from '../../systems/forge/index.ts';
import { GitError, type Repository } from '../../systems/git/index.ts';
import { getJson, type ObjectStore } from '../../systems/objects/index.ts';
import { withForge, withGit } from '../failures.ts';
import type { RepositoryPollActivities } from '../contract.ts';

/** Forges tell times in whole seconds: what changed a moment ago may change again within the same one. */
const settledAfterMs = 3000;

export function createRepositoryPollActivities({
  config,
  repository,
  sourceOf,
  forge,
  objects,
}: {
  config: Pick<Config, 'forge' | 'services'>;
  repository: Pick<Repository, 'tip'>;
  sourceOf: (service: string) => Pick<Repository, 'tip'>;
  forge: Pick<Forge, 'openPullRequests'>;
  objects: ObjectStore;
}): RepositoryPollActivities {
  const stored = () => getJson(objects, objectKeys.repository, repositorySeenSchema);

  return {
    /** Reads only. */
    async lookAtRepository() {
      const before = await stored();
      const tip = await withGit(() => repository.tip());
      const open = await withForge(() => forge.openPullRequests());
      const { sources, unread } = await sourceTips(before?.value.sources ?? {});
      const now: RepositorySeen = {
        tip,
        ...(Object.keys(sources).length > 0 && { sources }),
        pullRequests: promotionsAmong(open, Date.now()),
      };
      return {
        ...(before && { before: before.value }),
        now,
        deliverOnPush: config.forge.deliverOnPush,
        ...(unread.length > 0 && { unread }),
      };
    },

    /** Compare-and-set: where another look was faster, this one's news are found again by the next. */
    async rememberRepository({ before, now }) {
      const found = await stored();
      if (JSON.stringify(found?.value) !== JSON.stringify(before)) return;
      const condition = found ? { ifMatch: found.etag } : { ifAbsent: true };
      await objects.put(objectKeys.repository, JSON.stringify(now), condition);
    },
  };

  /** One that is away keeps nobody from the news of the others. */
  async function sourceTips(before: Record<string, string>) {
    const sources: Record<string, string> = {};
    const unread: string[] = [];
    for (const { key, services } of sourceRepositories(config)) {
      const [service = ''] = services;
      try {
        sources[key] = await sourceOf(service).tip();
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        unread.push(error.message);
        if (before[key] !== undefined) sources[key] = before[key];
      }
    }
    return { sources, unread };
  }
}

function promotionsAmong(open: PullRequest[], at: number): RepositorySeen['pullRequests'] {
  const promotions: RepositorySeen['pullRequests'] = {};
  for (const { number, head, updatedAt } of open) {
    const promotion = head.own && parsePromotionBranch(head.branch);
    if (!promotion) continue;
    const settled = at - Date.parse(updatedAt) > settledAfterMs;
    const { environment, change } = promotion;
    promotions[number] = {
      environment,
      service: change.service,
      // Unlike what any other look will see, so that the next one tells of it again.
      updatedAt: settled ? updatedAt : `${updatedAt}, read at ${at}`,
    };
  }
  return promotions;
}
