import { certificateAdvice } from '../network/certificates.ts';
import { SystemError, type Circumstances } from '../system-error.ts';

/** A pull request as the forge has it now. */
export interface PullRequest {
  number: number;
  url: string;
  title: string;
  body: string;
  labels: string[];
  state: 'open' | 'merged' | 'closed';
  /** Branch that it changes. */
  base: string;
  /** `own`: the branch is in this repository, not in a fork. */
  head: { branch: string; sha: string; own: boolean };
  /** Commit that it became on its base, once merged. */
  revision?: string;
  /** ISO 8601; moves with every review, push, edit and comment. */
  updatedAt: string;
}

/** A verdict on a pull request: the last one of each person. */
export interface Review {
  /** Forge login. */
  by: string;
  verdict: 'approve' | 'reject';
  /** Head that the person saw. */
  commit: string;
  /** Whether the forge itself would count it: neither dismissed nor by someone whose word has no weight there. */
  counts: boolean;
}

/** What promotions are going to ask of a branch. */
export interface BranchUse {
  /** Environments whose releases are pushed straight to it. */
  pushed: string[];
  /** Environments whose pull requests people review at the forge. */
  reviewed: string[];
  /** Environments whose pull requests nobody reviews there. */
  unreviewed: string[];
}

/** One of the forge's own rules, or rights, and whether promotions can live with it. */
export interface BranchRule {
  state: 'ok' | 'warning' | 'failed';
  detail: string;
  /** What to change; of whatever is not ok. */
  remedy?: string;
}

/**
 * One repository on a forge, as far as promotions need it. Every call is one or a few requests with a time limit, and
 * throws a `ForgeError`.
 */
export interface Forge {
  pullRequest(number: number): Promise<PullRequest>;
  /** Those whose head is this branch of this repository, lowest number first; of the closed ones only recent. */
  pullRequestsFrom(branch: string): Promise<PullRequest[]>;
  openPullRequests(): Promise<PullRequest[]>;
  /** The one whose merge made this commit. */
  mergedAs(revision: string): Promise<PullRequest | undefined>;
  /** @throws ForgeError `exists`: an open one has this head and base */
  createPullRequest(text: { head: string; base: string; title: string; body: string }): Promise<PullRequest>;
  updatePullRequest(number: number, text: { title?: string; body?: string; state?: 'closed' }): Promise<void>;
  /** Makes the label where the repository has none of that name. */
  addLabel(number: number, label: string): Promise<void>;
  reviews(number: number): Promise<Review[]>;
  /**
   * Makes one commit of it on its base, but only if `head` is still its head.
   *
   * @throws ForgeError `head-moved`, `base-moved`, `pending`, `conflict`, `unapproved`, `merged`, `closed`: not merged
   *   by this call; `unavailable`: nobody knows, read it again
   */
  mergePullRequest(number: number, merge: { head: string; title: string; message: string }): Promise<void>;
  /** One that is not there is success, and so is one that the forge's rules keep: it is in nobody's way. */
  deleteBranch(branch: string): Promise<void>;
  /** What of the forge's own rules stands in the way of promotions, or cannot be told. */
  branchRules(branch: string, use: BranchUse): Promise<BranchRule[]>;
}

export type ForgeErrorKind =
  | 'auth'
  | 'forbidden'
  | 'missing'
  | 'invalid'
  | 'exists'
  | 'unapproved'
  | 'pending'
  | 'head-moved'
  | 'base-moved'
  | 'conflict'
  | 'merged'
  | 'closed'
  | 'rate-limited'
  | 'unavailable';

/** A forge that is away, busy or still checking is asked again; of all else a person has to know. */
const passing = new Set<ForgeErrorKind>(['unavailable', 'rate-limited', 'pending', 'base-moved']);

const advice: Partial<Record<ForgeErrorKind, string>> = {
  auth: 'Check the token that forge.token in gitops.yaml refers to: it may have expired.',
  forbidden: "Give the token's user write access to the repository, and the token the scopes for it.",
  missing:
    'Check forge.url and repository.url in gitops.yaml, and that the token may read the repository and write to it: what it may not see is not found.',
  'rate-limited': 'It is tried again later.',
  unavailable: 'It is tried again.',
};

/** What a forge did not do, told apart where its words are known. */
export class ForgeError extends SystemError {
  override readonly name = 'ForgeError';
  readonly kind: ForgeErrorKind;

  constructor(
    kind: ForgeErrorKind,
    fact: string,
    circumstances: Pick<Circumstances, 'retryAfterMs' | 'cause'> = {},
  ) {
    super(fact, {
      ...circumstances,
      advice: certificateAdvice(circumstances.cause, 'forge.caFile') ?? advice[kind],
      unreachable: kind === 'unavailable',
      lasting: !passing.has(kind),
    });
    this.kind = kind;
  }
}

/** Where a repository is on its forge, by the URL that Git clones it from. */
export function forgeRepository(cloneUrl: string): { owner: string; name: string } {
  const [, owner, name] = /([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(cloneUrl) ?? [];
  if (!owner || !name) {
    throw new Error(`repository.url ${cloneUrl} does not end in <owner>/<repository>, so it is on no forge.`);
  }
  return { owner, name };
}
