import { z } from 'zod';
import type { BranchRule, BranchUse } from './index.ts';

export const repositorySchema = z.object({
  archived: z.boolean(),
  has_pull_requests: z.boolean(),
  allow_squash_merge: z.boolean(),
  permissions: z.object({ push: z.boolean() }),
});

export const branchSchema = z.object({
  protected: z.boolean(),
  user_can_push: z.boolean(),
  user_can_merge: z.boolean(),
  required_approvals: z.int(),
  enable_status_check: z.boolean(),
  status_check_contexts: z.array(z.string()).nullish(),
  /** Empty for whoever is no administrator. */
  effective_branch_protection_name: z.string(),
});

export const protectionSchema = z.object({
  block_on_outdated_branch: z.boolean(),
  dismiss_stale_approvals: z.boolean(),
  ignore_stale_approvals: z.boolean().default(false),
  require_signed_commits: z.boolean(),
  protected_file_patterns: z.string(),
});
export type Protection = z.infer<typeof protectionSchema>;

/** What of a repository's settings and of a branch's protection stands in the way of promotions. */
export function giteaRules(
  branch: string,
  use: BranchUse,
  settings: z.infer<typeof repositorySchema>,
  access: z.infer<typeof branchSchema>,
  protection: Protection | 'none' | 'hidden',
): BranchRule[] {
  const rules: BranchRule[] = [];
  const failed = (detail: string, remedy: string) => rules.push({ state: 'failed', detail, remedy });
  const warning = (detail: string, remedy: string) => rules.push({ state: 'warning', detail, remedy });

  if (settings.archived) failed('The repository is archived.', 'Unarchive it.');
  if (!settings.has_pull_requests) {
    failed('Pull requests are switched off.', 'Switch them on in the settings of the repository.');
  }
  if (!settings.permissions.push) {
    failed("The token's user may not write.", 'Make it a collaborator with write access.');
  }
  if (!settings.allow_squash_merge) {
    failed('Squash merges are switched off.', 'Allow them in the settings of the repository.');
  }
  if (!access.user_can_push && use.pushed.length > 0) {
    failed(
      `The token's user may not push to ${branch}, which releases for ${use.pushed.join(', ')} need.`,
      'Put it on the push whitelist.',
    );
  }
  if (!access.user_can_merge) {
    failed(`The token's user may not merge to ${branch}.`, 'Put it on the merge whitelist.');
  }
  if (access.required_approvals > 0 && use.unreviewed.length > 0) {
    failed(
      `The required approvals of ${branch} are ${access.required_approvals}, and nobody reviews pull requests for ${use.unreviewed.join(', ')}.`,
      'Set the required approvals to 0, or approval: review in gitops.yaml.',
    );
  }
  if (access.required_approvals > 1 && use.reviewed.length > 0) {
    failed(
      `The required approvals of ${branch} are ${access.required_approvals}, and promotions are merged after the first.`,
      'Set the required approvals to 1 or less.',
    );
  }
  if (access.enable_status_check) {
    warning(
      `${branch} takes no pull request before its status checks have passed: ${(access.status_check_contexts ?? []).join(', ')}. A promotion that is approved earlier is refused.`,
      'Switch the status checks off: what is promoted was tested.',
    );
  }
  rules.push(...rulesOfProtection(branch, use, protection));
  return rules;
}

function rulesOfProtection(
  branch: string,
  { reviewed }: BranchUse,
  protection: Protection | 'none' | 'hidden',
): BranchRule[] {
  if (protection === 'none') {
    const detail = `${branch} is not protected: whoever may write can change what every environment runs.`;
    return [{ state: 'warning', detail, remedy: 'Protect it, and let few people and this program push.' }];
  }
  if (protection === 'hidden') {
    const detail = `Only an administrator may read the rest of the rules of ${branch}: whether outdated pull requests are blocked, stale approvals dismissed, signatures required.`;
    return [{ state: 'ok', detail }];
  }
  const rules: BranchRule[] = [];
  if (protection.block_on_outdated_branch) {
    rules.push({
      state: 'failed',
      detail: `${branch} takes no pull request that is behind it, and every promotion moves it: all others would be stale.`,
      remedy: 'Switch "block merge if pull request is outdated" off.',
    });
  }
  if (protection.require_signed_commits) {
    rules.push({
      state: 'failed',
      detail: `${branch} takes signed commits only, and this program does not sign its own.`,
      remedy: 'Switch "require signed commits" off.',
    });
  }
  if (protection.protected_file_patterns !== '') {
    rules.push({
      state: 'warning',
      detail: `${branch} refuses changes of ${protection.protected_file_patterns}, and promotions write release/ folders.`,
      remedy: 'Leave them out of the protected file patterns.',
    });
  }
  const stays = !protection.dismiss_stale_approvals && !protection.ignore_stale_approvals;
  if (stays && reviewed.length > 0) {
    rules.push({
      state: 'warning',
      detail:
        'An approval stays when somebody pushes to the pull request afterwards: people could merge what nobody saw. This program does not.',
      remedy: 'Switch "dismiss stale approvals" on.',
    });
  }
  return rules;
}
