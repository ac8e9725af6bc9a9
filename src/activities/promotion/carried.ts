import { promotionSettings } from '../../config/promotion-settings.ts';
import type { Service } from '../../config/services.ts';
import type { Release } from '../../model/delivery/change.ts';
import type { Deployed } from '../../model/promotion/promotion.ts';
import type { Commit } from '../../systems/git/index.ts';
import { withCluster } from '../failures.ts';
import { knownService } from '../delivery/known-service.ts';
import { runningRelease } from '../delivery/running-release.ts';
import type { Systems } from '../systems.ts';
import { authorsOf, commitsCarried } from './authors.ts';
import { rejectedBefore, type Rejected } from './rejected-before.ts';

/** What a release brings into an environment since what is there. */
export interface Carried {
  service: Service;
  commits: Commit[];
  /** None of them may approve it. */
  authors: string[];
  running: Deployed | undefined;
  /** Where somebody is asked. */
  rejected: Rejected[];
}

/**
 * @param tip of the protected branch, with whose overlay the release is rendered
 * @param current what was promoted last
 * @throws GitError
 * @throws Refused: too few others may decide
 */
export async function carriedBy(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'argocd' | 'objects'>,
  {
    environment,
    release,
    tip,
    current,
  }: { environment: string; release: Release; tip: string; current?: Deployed | undefined },
): Promise<Carried> {
  const { config } = systems;
  const { change } = release;
  const service = await knownService(systems, change.service, tip);
  const running = await withCluster(() => runningRelease(systems, { environment, service: service.name }));
  const commits = await commitsCarried(systems, change, { service, environment, tip }, { running, current });
  const { approval } = promotionSettings(config, environment);
  const authors = authorsOf(config, commits, release, approval);
  const place = { environment, service: service.name };
  const rejected = approval.by === 'none' ? [] : await rejectedBefore(systems, place, commits);
  return { service, commits, authors, running, rejected };
}
