import { z } from 'zod';
import { parseJson } from '../../model/json.ts';
import { shownWords, sortAnswer, type Answer } from '../network/answers.ts';
import { rootCause } from '../system-error.ts';
import {
  branchSchema,
  giteaRules,
  protectionSchema,
  repositorySchema,
  type Protection,
} from './gitea-rules.ts';
import { ForgeError, type Forge, type ForgeErrorKind, type PullRequest, type Review } from './index.ts';

/** Its slowest call, a merge, takes half a second; a forge that needs this long is down. */
const timeLimitMs = 30_000;
/** What Gitea sends at most, unless its `MAX_RESPONSE_ITEMS` says less. */
const pageSize = 50;
/** A list that does not end by then is not one of ours to read. */
const mostItems = 10_000;

const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  merge_commit_sha: z.string().nullish(),
  updated_at: z.string(),
  base: z.object({ ref: z.string(), repo_id: z.int() }),
  // `ref` turns into `refs/pull/<number>/head` when the branch is gone; `label` stays.
  head: z.object({ label: z.string(), sha: z.string(), repo_id: z.int() }),
});

const reviewSchema = z.object({
  id: z.int(),
  user: z.object({ id: z.int().optional(), login: z.string() }).nullish(),
  state: z.string(),
  commit_id: z.string(),
  official: z.boolean(),
  stale: z.boolean(),
  dismissed: z.boolean(),
});

const verdicts: Record<string, Review['verdict']> = { APPROVED: 'approve', REQUEST_CHANGES: 'reject' };

/**
 * A repository on Gitea or Forgejo, over its REST API (version 1).
 *
 * @param token asked for at every request, so that one that was renewed counts at once
 */
export function createGiteaForge({
  url,
  owner,
  name,
  token,
}: {
  url: string;
  owner: string;
  name: string;
  token: () => string;
}): Forge {
  const repository = `/repos/${owner}/${name}`;
  const base = `${url.replace(/\/$/, '')}/api/v1`;

  async function request<T>(method: string, path: string, schema: z.ZodType<T>, body?: object) {
    const where = `${method} ${path} at ${url}`;
    const answer = await exchange(where, method, path, body);
    if (answer.status >= 300) throw failure(where, answer);
    const parsed = schema.safeParse(parseJson(answer.text));
    if (parsed.success) return { data: parsed.data, header: answer.header };
    // A proxy's page, or an answer that was cut off: not something that the forge decided.
    throw new ForgeError('unavailable', `${where} was not answered as Gitea does: ${parsed.error.message}.`);
  }

  const call = async <T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> =>
    (await request(method, path, schema, body)).data;

  async function exchange(where: string, method: string, path: string, body?: object): Promise<Answer> {
    // Outside of the try below: a missing secret must not read as a forge that does not answer.
    const authorization = `token ${token()}`;
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        // A redirect of a repository that was renamed is told, not followed with the token.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeLimitMs),
      });
      const header: Answer['header'] = (name) => response.headers.get(name) ?? undefined;
      return { status: response.status, text: await response.text(), header };
    } catch (error) {
      throw new ForgeError('unavailable', `${where} was not answered: ${rootCause(error)}.`, {
        cause: error,
      });
    }
  }

  /** How many a page holds is for the forge to say: the last one is empty, or completes what it counts. */
  async function list<T>(path: string, item: z.ZodType<T>, most = mostItems): Promise<T[]> {
    const found: T[] = [];
    let before = '';
    for (let page = 1; found.length < most; page += 1) {
      const { data, header } = await request('GET', `${path}&page=${page}&limit=${pageSize}`, z.array(item));
      const shown = JSON.stringify(data);
      // What is not paged is all there again.
      if (data.length === 0 || shown === before) break;
      before = shown;
      found.push(...data);
      if (found.length >= Number(header('x-total-count') ?? Infinity)) break;
    }
    return found;
  }

  const pull = (number: number) => `${repository}/pulls/${number}`;
  const branchPath = (branch: string) => `${repository}/branches/${encodeURIComponent(branch)}`;
  const openPullRequests = async () =>
    (await list(`${repository}/pulls?state=open&sort=oldest`, pullSchema)).map(readPull);

  return {
    openPullRequests,

    pullRequest: async (number) => readPull(await call('GET', pull(number), pullSchema)),

    async pullRequestsFrom(branch) {
      // The list's `head` parameter is ignored, and `/pulls/{base}/{head}` tells one of any state.
      const closed = await list(`${repository}/pulls?state=closed&sort=recentupdate`, pullSchema, pageSize);
      return [...closed.map(readPull), ...(await openPullRequests())]
        .filter(({ head }) => head.own && head.branch === branch)
        .toSorted((a, b) => a.number - b.number);
    },

    async mergedAs(revision) {
      try {
        return readPull(await call('GET', `${repository}/commits/${revision}/pull`, pullSchema));
      } catch (error) {
        if (error instanceof ForgeError && error.kind === 'missing') return undefined;
        throw error;
      }
    },

    createPullRequest: async (text) => readPull(await call('POST', `${repository}/pulls`, pullSchema, text)),

    async updatePullRequest(number, text) {
      await call('PATCH', pull(number), z.unknown(), text);
    },

    async addLabel(number, label) {
      const labels = await list(`${repository}/labels?`, z.object({ name: z.string() }));
      if (!labels.some(({ name }) => name === label)) {
        await call('POST', `${repository}/labels`, z.unknown(), { name: label, color: '#b60205' });
      }
      await call('POST', `${repository}/issues/${number}/labels`, z.unknown(), { labels: [label] });
    },

    async reviews(number) {
      const reviews = await list(`${pull(number)}/reviews?`, reviewSchema);
      const last = new Map<string, Review>();
      for (const { user, state, commit_id, official, stale, dismissed } of reviews.toSorted(
        (a, b) => a.id - b.id,
      )) {
        const verdict = verdicts[state];
        // Of an account that is gone (Ghost), or of none (Actions), the number is not above zero.
        if (!user || (user.id ?? 1) <= 0 || !verdict) continue;
        const counts = official && !stale && !dismissed;
        last.set(user.login, { by: user.login, verdict, commit: commit_id, counts });
      }
      return [...last.values()];
    },

    async mergePullRequest(number, { head, title, message }) {
      const path = `${pull(number)}/merge`;
      const body = {
        Do: 'squash',
        head_commit_id: head,
        MergeTitleField: title,
        MergeMessageField: message,
        delete_branch_after_merge: false,
      };
      const where = `POST ${path} at ${url}`;
      const answer = await exchange(where, 'POST', path, body);
      if (answer.status < 300) return;
      throw mergeFailure(where, answer) ?? failure(where, answer);
    },

    async deleteBranch(branch) {
      try {
        await call('DELETE', branchPath(branch), z.unknown());
      } catch (error) {
        if (!(error instanceof ForgeError && ['missing', 'forbidden'].includes(error.kind))) throw error;
      }
    },

    async branchRules(branch, use) {
      const settings = await call('GET', repository, repositorySchema);
      const access = await call('GET', branchPath(branch), branchSchema);
      const protection = access.protected
        ? await readProtection(access.effective_branch_protection_name)
        : 'none';
      return giteaRules(branch, use, settings, access, protection);
    },
  };

  /** Only an administrator of the repository may read it. */
  async function readProtection(rule: string): Promise<Protection | 'hidden'> {
    if (rule === '') return 'hidden';
    try {
      const path = `${repository}/branch_protections/${encodeURIComponent(rule)}`;
      return await call('GET', path, protectionSchema);
    } catch (error) {
      if (error instanceof ForgeError && ['forbidden', 'missing'].includes(error.kind)) return 'hidden';
      throw error;
    }
  }
}

function readPull(pull: z.infer<typeof pullSchema>): PullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    body: pull.body,
    labels: (pull.labels ?? []).map(({ name }) => name),
    state: pull.merged ? 'merged' : pull.state,
    base: pull.base.ref,
    head: { branch: pull.head.label, sha: pull.head.sha, own: pull.head.repo_id === pull.base.repo_id },
    ...(pull.merged && pull.merge_commit_sha && { revision: pull.merge_commit_sha }),
    updatedAt: pull.updated_at,
  };
}

function failure(where: string, answer: Answer): ForgeError {
  const { kind, retryAfterMs } = sortAnswer(answer);
  return new ForgeError(answer.status === 409 ? 'exists' : kind, told(where, answer), { retryAfterMs });
}

/** Gitea tells the reasons for not merging only in words (1.26). */
const mergeWords: [number, RegExp, ForgeErrorKind][] = [
  [405, /already merged/i, 'merged'],
  // The same words while it checks for conflicts and when there is one.
  [405, /try again later/i, 'pending'],
  [405, /not allowed to merge/i, 'forbidden'],
  // Approvals, status checks, protected files, an outdated branch, a draft, a signature that it cannot make, a method.
  [405, /^/, 'unapproved'],
  [409, /head out of date/i, 'head-moved'],
  [409, /cannot lock ref|failed to update ref|push out of date|non-fast-forward/i, 'base-moved'],
  [409, /PushRejected.*internal (server|api|error)/is, 'unavailable'],
  // A hook, or the protection of the branch.
  [409, /PushRejected/i, 'forbidden'],
  [409, /^/, 'conflict'],
  [404, /^/, 'closed'],
];

function mergeFailure(where: string, answer: Answer): ForgeError | undefined {
  const { status } = answer;
  const message = messageOf(answer);
  const [, , kind] = mergeWords.find(([code, words]) => code === status && words.test(message)) ?? [];
  return kind && new ForgeError(kind, told(where, answer));
}

function told(where: string, answer: Answer): string {
  const words = [`${where}: ${answer.status}`, shownWords(messageOf(answer))].filter(Boolean).join(' ');
  return `${words.replace(/\.$/, '')}.`;
}

function messageOf({ status, text, header }: Answer): string {
  if (status < 400) return `It is at ${header('location') ?? 'another place'} by now`;
  const answer = z.object({ message: z.string() }).safeParse(parseJson(text));
  return answer.data?.message ?? text;
}
