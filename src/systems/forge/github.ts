import { Octokit } from '@octokit/rest';
import { z } from 'zod';
import { shownWords, sortAnswer } from '../network/answers.ts';
import { errorText, rootCause } from '../system-error.ts';
import { ForgeError, type Forge, type ForgeErrorKind, type PullRequest, type Review } from './index.ts';
import { githubRules } from './github-rules.ts';

/** GitHub itself gives up after 10 s. */
const timeLimitMs = 30_000;

/** What the single and the list answer have in common. */
interface Pull {
  number: number;
  html_url: string;
  title: string;
  body: string | null;
  labels: { name?: string }[];
  state: string;
  merged_at: string | null;
  merge_commit_sha: string | null;
  updated_at: string;
  base: { ref: string; repo: { id: number } };
  head: { ref: string; sha: string; repo: { id: number } | null };
}

const verdicts: Record<string, Review['verdict']> = { APPROVED: 'approve', CHANGES_REQUESTED: 'reject' };

/**
 * A repository on GitHub or GitHub Enterprise Server, over its REST API.
 *
 * @param token asked for at every request, so that one that was renewed counts at once
 */
export function createGitHubForge({
  url,
  owner,
  name: repo,
  token,
}: {
  url: string;
  owner: string;
  name: string;
  token: () => string;
}): Forge {
  const place = { owner, repo };
  const github = connect(url, token);
  const { pulls } = github.rest;

  /** Of what is no user (an app, an account that is gone) GitHub has no permission to tell. */
  async function mayWrite(username: string): Promise<boolean> {
    try {
      const { data } = await github.rest.repos.getCollaboratorPermissionLevel({ ...place, username });
      return ['admin', 'write'].includes(data.permission);
    } catch (error) {
      if (error instanceof ForgeError && error.kind === 'missing') return false;
      throw error;
    }
  }

  return {
    async pullRequest(pull_number) {
      return readPull((await pulls.get({ ...place, pull_number })).data);
    },

    async pullRequestsFrom(branch) {
      const head = `${owner}:${branch}`;
      const all = await github.paginate(pulls.list, { ...place, head, state: 'all', per_page: 100 });
      return all
        .map(readPull)
        .filter(({ head }) => head.own && head.branch === branch)
        .toSorted((a, b) => a.number - b.number);
    },

    async openPullRequests() {
      return (await github.paginate(pulls.list, { ...place, state: 'open', per_page: 100 })).map(readPull);
    },

    async mergedAs(commit_sha) {
      const associated = github.rest.repos.listPullRequestsAssociatedWithCommit;
      try {
        const all = await github.paginate(associated, { ...place, commit_sha, per_page: 100 });
        return all.map(readPull).find(({ revision }) => revision === commit_sha);
      } catch (error) {
        if (error instanceof ForgeError && error.kind === 'missing') return undefined;
        throw error;
      }
    },

    async createPullRequest(text) {
      return readPull((await pulls.create({ ...place, ...text })).data);
    },

    async updatePullRequest(pull_number, text) {
      await pulls.update({ ...place, pull_number, ...text });
    },

    async addLabel(issue_number, label) {
      await github.rest.issues.addLabels({ ...place, issue_number, labels: [label] });
    },

    async reviews(pull_number) {
      const last = new Map<string, Review>();
      for (const { user, state, commit_id } of await github.paginate(pulls.listReviews, {
        ...place,
        pull_number,
        per_page: 100,
      })) {
        // The word of an app, or of an account that is gone, is nobody's.
        if (!user || user.type === 'Bot') continue;
        // A review that was dismissed changes its state: the verdict is gone, and so is what it replaced.
        const verdict = verdicts[state];
        if (state === 'DISMISSED') last.delete(user.login);
        if (verdict) last.set(user.login, { by: user.login, verdict, commit: commit_id ?? '', counts: true });
      }
      // GitHub says of no review whether it counts; only those of people who may write do.
      for (const review of last.values()) review.counts = await mayWrite(review.by);
      return [...last.values()];
    },

    async mergePullRequest(pull_number, { head, title, message }) {
      const merge = { merge_method: 'squash', commit_title: title, commit_message: message } as const;
      const { data } = await pulls.merge({ ...place, pull_number, sha: head, ...merge });
      if (!data.merged) throw new ForgeError('pending', `#${pull_number} was not merged: ${data.message}.`);
    },

    async deleteBranch(branch) {
      try {
        await github.rest.git.deleteRef({ ...place, ref: `heads/${branch}` });
      } catch (error) {
        // 422 `Reference does not exist`, or a rule.
        if (!(error instanceof ForgeError && ['missing', 'invalid', 'forbidden'].includes(error.kind)))
          throw error;
      }
    },

    async branchRules(branch, use) {
      const { data } = await github.rest.repos.get(place);
      const rules = await github.paginate(github.rest.repos.getBranchRules, {
        ...place,
        branch,
        per_page: 100,
      });
      return githubRules(branch, use, data, rules);
    },
  };
}

function connect(url: string, token: () => string): Octokit {
  const silent = () => undefined;
  const github = new Octokit({
    baseUrl: new URL(url).hostname === 'github.com' ? 'https://api.github.com' : `${url}/api/v3`,
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  github.hook.before('request', (options) => {
    options.headers['authorization'] = `token ${token()}`;
    options.request = { ...options.request, signal: AbortSignal.timeout(timeLimitMs) };
  });
  github.hook.error('request', (error, options) => {
    throw forgeError(`${options.method} ${options.url} at ${url}`, error);
  });
  return github;
}

function readPull(pull: Pull): PullRequest {
  const { merged_at, merge_commit_sha, base, head } = pull;
  return {
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    body: pull.body ?? '',
    labels: pull.labels.map(({ name }) => name ?? ''),
    state: merged_at !== null ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    base: base.ref,
    head: { branch: head.ref, sha: head.sha, own: head.repo?.id === base.repo.id },
    ...(merged_at !== null && merge_commit_sha !== null && { revision: merge_commit_sha }),
    updatedAt: pull.updated_at,
  };
}

/** What GitHub's words and its own use of a status tell beyond the status; the first that fits. */
const kinds: [status: number, words: RegExp, kind: ForgeErrorKind][] = [
  [405, /^base branch was modified/i, 'base-moved'],
  [405, /^(pull request is closed|pull request is already merged)/i, 'closed'],
  [405, /^(pull request has )?merge conflict/i, 'conflict'],
  // The same words while it checks for conflicts and when there is one.
  [
    405,
    /^(pull request is not mergeable|merge already in progress|repository is in an unstable state)/i,
    'pending',
  ],
  [405, /not allowed|not authorized/i, 'forbidden'],
  // A review, a status check, a conversation, a signature, a draft, a merge queue: it says which.
  [405, /^/, 'unapproved'],
  [409, /^head branch was modified/i, 'head-moved'],
  [409, /^base branch was modified/i, 'base-moved'],
  [409, /rule violations/i, 'unapproved'],
  [409, /^/, 'conflict'],
  [422, /already exists/i, 'exists'],
  [422, /submitted too quickly/i, 'rate-limited'],
  // Of a branch or a commit that was pushed a moment ago.
  [422, /"field":"head"|no commit found/i, 'missing'],
];

const answerSchema = z.object({
  status: z.number(),
  response: z.object({ headers: z.record(z.string(), z.coerce.string()) }).optional(),
});

function forgeError(where: string, error: unknown): unknown {
  const text = errorText(error);
  const answer = answerSchema.safeParse(error).data;
  // Not an answer: the request was never sent, perhaps since the secret with the token is missing.
  if (!answer) return error;
  const { status, response } = answer;
  if (!response) {
    // Octokit calls it 500, but nobody answered. Its own error holds the request, and that the token.
    const cause = error instanceof Error ? error.cause : undefined;
    return new ForgeError('unavailable', `${where} was not answered: ${rootCause(cause)}.`, { cause });
  }
  const { kind, retryAfterMs } = sortAnswer({ status, text, header: (name) => response.headers[name] });
  const [, , known = kind] = kinds.find(([code, words]) => code === status && words.test(text)) ?? [];
  return new ForgeError(known, `${where}: ${status} ${shownWords(text).replace(/\.$/, '')}.`, {
    retryAfterMs,
  });
}
