import type { RestEndpointMethodTypes } from '@octokit/rest';
import type { BranchRule, BranchUse } from './index.ts';

type Repository = RestEndpointMethodTypes['repos']['get']['response']['data'];
type Rule = RestEndpointMethodTypes['repos']['getBranchRules']['response']['data'][number];

/** What of a repository's settings and of a branch's rulesets stands in the way of promotions. */
export function githubRules(
  branch: string,
  use: BranchUse,
  repository: Pick<Repository, 'archived' | 'permissions' | 'allow_squash_merge'>,
  rules: readonly Rule[],
): BranchRule[] {
  const found: BranchRule[] = [];
  const failed = (detail: string, remedy: string) => found.push({ state: 'failed', detail, remedy });
  if (repository.archived) failed('The repository is archived.', 'Unarchive it.');
  if (!repository.permissions?.push) {
    failed("The token's user may not write.", 'Make it a collaborator with write access.');
  }
  if (repository.allow_squash_merge === false) {
    failed('Squash merges are switched off.', 'Allow them in the settings of the repository.');
  }
  if (rules.length === 0) {
    found.push({
      state: 'ok',
      detail: `No ruleset is about ${branch}; branch protection of the older kind only administrators may read.`,
    });
  }
  return [...found, ...rules.flatMap((rule) => onRule(branch, use, rule))];
}

/** A ruleset may let this program's account bypass it, which GitHub does not tell here: then it is only a warning. */
const bypass = 'Put the account of this program on the bypass list of the ruleset.';

function onRule(branch: string, use: BranchUse, rule: Rule): BranchRule[] {
  const pushed = use.pushed.join(', ');
  if (rule.type === 'required_status_checks') {
    if (rule.parameters?.strict_required_status_checks_policy) {
      const detail = `${branch} takes no pull request that is behind it, and every promotion moves it: all others would be stale.`;
      const remedy = 'Switch "require branches to be up to date before merging" off.';
      return [{ state: 'failed', detail, remedy }];
    }
    const detail = `${branch} takes no pull request before its status checks have passed. A promotion that is approved earlier is refused.`;
    return [{ state: 'warning', detail, remedy: bypass }];
  }
  if (rule.type === 'required_signatures' && pushed !== '') {
    const detail = `${branch} takes signed commits only, and this program does not sign those that it pushes for ${pushed}.`;
    return [{ state: 'failed', detail, remedy: 'Enter by pull-request there: GitHub signs what it merges.' }];
  }
  if (rule.type === 'merge_queue') {
    const detail = `${branch} takes pull requests by its merge queue only, and promotions are merged one by one.`;
    return [{ state: 'failed', detail, remedy: 'Switch the merge queue off.' }];
  }
  if (rule.type === 'update') {
    return [{ state: 'warning', detail: `${branch} may be changed by few accounts only.`, remedy: bypass }];
  }
  return rule.type === 'pull_request' ? onPullRequests(branch, use, rule.parameters ?? {}) : [];
}

type PullRequestParameters = Partial<NonNullable<Extract<Rule, { type: 'pull_request' }>['parameters']>>;

function onPullRequests(branch: string, use: BranchUse, parameters: PullRequestParameters): BranchRule[] {
  const {
    allowed_merge_methods: methods = ['squash'],
    dismiss_stale_reviews_on_push: dismisses = true,
    required_approving_review_count: approvals = 0,
  } = parameters;
  const found: BranchRule[] = [];
  if (!methods.includes('squash')) {
    const detail = `${branch} takes pull requests by ${methods.join(', ')} only, and promotions are squashed.`;
    found.push({ state: 'failed', detail, remedy: 'Allow squash merges in the ruleset.' });
  }
  if (use.pushed.length > 0) {
    const detail = `${branch} is changed by pull requests only, and releases for ${use.pushed.join(', ')} are pushed.`;
    found.push({ state: 'warning', detail, remedy: bypass });
  }
  if (approvals > 0 && use.unreviewed.length > 0) {
    const detail = `The required approvals of ${branch} are ${approvals}, and nobody reviews pull requests for ${use.unreviewed.join(', ')}.`;
    found.push({ state: 'warning', detail, remedy: bypass });
  }
  if (approvals > 1 && use.reviewed.length > 0) {
    const detail = `The required approvals of ${branch} are ${approvals}, and promotions are merged after the first.`;
    found.push({ state: 'failed', detail, remedy: 'Ask for one approval.' });
  }
  if (!dismisses && use.reviewed.length > 0) {
    const detail =
      'An approval stays when somebody pushes to the pull request afterwards: people could merge what nobody saw. This program does not.';
    found.push({ state: 'warning', detail, remedy: 'Dismiss stale approvals in the ruleset.' });
  }
  return found;
}
