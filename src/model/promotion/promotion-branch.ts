import type { Change } from '../delivery/change.ts';

/** Branch of a promotion's pull request; `forge` events are led back to the environment by it. */
export const promotionBranch = (environment: string, { service, commit }: Change): string =>
  `gitops/${environment}/${service}/${commit}`;

const branchPattern = /^gitops\/([a-z][a-z0-9-]*)\/([a-z][a-z0-9-]*)\/([0-9a-f]{40})$/;

/** The promotion that a branch belongs to, or undefined for anyone else's branch. */
export function parsePromotionBranch(branch: string): { environment: string; change: Change } | undefined {
  const [, environment, service, commit] = branchPattern.exec(branch) ?? [];
  return environment && service && commit ? { environment, change: { service, commit } } : undefined;
}
