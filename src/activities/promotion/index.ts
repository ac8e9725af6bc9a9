import type {
  PullRequestActivities,
  ReleaseActivities,
  RemovalActivities,
  RenderActivities,
  SettingsActivities,
} from '../contract.ts';
import type { Systems } from '../systems.ts';
import { createRemovalActivities } from '../removal/index.ts';
import { createClosePullRequest } from './close-pull-request.ts';
import { createMergePullRequest } from './merge-pull-request.ts';
import { createOpenPullRequest } from './open-pull-request.ts';
import { createReadPullRequest } from './read-pull-request.ts';
import { createRenderActivities } from './render.ts';
import { createSettingsActivities } from './settings.ts';
import { createReleaseActivities } from './write-release.ts';

type PullRequestSystems = Pick<
  Systems,
  'config' | 'repository' | 'sourceOf' | 'forge' | 'argocd' | 'objects' | 'temporal'
>;

export const createPullRequestActivities = (
  systems: PullRequestSystems,
  rendering: Pick<RenderActivities, 'renderRelease'>,
): PullRequestActivities => ({
  ...createOpenPullRequest(systems, rendering),
  ...createReadPullRequest(systems),
  ...createMergePullRequest(systems),
  ...createClosePullRequest(systems),
});

/** All that a promotion does to Git and the forge. */
export function createPromotionActivities(
  systems: PullRequestSystems,
  workDirectory: string,
): ReleaseActivities & PullRequestActivities & SettingsActivities & RenderActivities & RemovalActivities {
  const rendering = createRenderActivities(systems, workDirectory);
  return {
    ...createReleaseActivities(systems),
    ...createPullRequestActivities(systems, rendering),
    ...createSettingsActivities(systems),
    ...rendering,
    ...createRemovalActivities(systems, workDirectory),
  };
}
