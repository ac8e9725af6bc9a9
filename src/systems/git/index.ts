import { SystemError, type Circumstances } from '../system-error.ts';

export interface Commit {
  sha: string;
  subject: string;
  /** Author and co-authors (trailers), as `Name <e-mail>`. */
  authors: string[];
  /** ISO 8601 */
  committedAt: string;
}

/** One `release/` folder: its `base/` by tree hash, its `kustomization.yaml` by content. */
export interface ReleaseContent {
  /** The folder in the repository. */
  path: string;
  base: string;
  kustomization: string;
  /** Of the commit that writes it. */
  message: string;
}

export interface ReleaseWrite extends ReleaseContent {
  /** Protected branch, or a promotion's own (then made from the protected branch's tip). */
  branch: string;
  /** Tree of the folder that the writer saw on the protected branch; undefined: it was not there. */
  expectedTree: string | undefined;
  /** Asked again before every push, with the tip of the protected branch that it is made on: false, and nothing is written. */
  stillWanted: (tip: string) => Promise<boolean>;
}

export type ReleaseWritten =
  | { state: 'written'; revision: string; tree: string }
  | { state: 'changed'; tree: string | undefined }
  | { state: 'unwanted' };

/** A repository that changes come from, through a bare clone that this process keeps. Every call that needs news fetches. */
export interface Repository {
  /** Fetches; the protected branch's tip. */
  tip(): Promise<string>;
  /**
   * Position on the protected branch's first-parent line (1 is the root), or undefined when it is not on it.
   *
   * @param at a tip that was just fetched; without it, fetches
   */
  position(commit: string, at?: string): Promise<number | undefined>;
  /** The first-parent commit by which a commit reached the protected branch, if it did. */
  mergeOf(commit: string): Promise<string | undefined>;
  commit(sha: string): Promise<Commit>;
  /**
   * All commits from (exclusive; undefined: the first one) to `to` that touched the paths, other than those `without`,
   * newest first.
   */
  log(from: string | undefined, to: string, paths: string[], without: string[]): Promise<Commit[]>;
  /** The newest commit on the first-parent line of `to` that touched a folder, other than paths in it that are `without`. */
  lastChange(to: string, folder: string, without: string[]): Promise<string | undefined>;
  /** Paths that a commit changed against its first parent. */
  changedPaths(commit: string): Promise<string[]>;
  /** Paths of which two commits, wherever they are, hold something else. */
  differingPaths(from: string, to: string): Promise<string[]>;
  /**
   * The commits on the first-parent line of `to` that are not in the history of `from` (undefined: all), newest first, with
   * the paths that each changed against its first parent.
   */
  commitsAfter(from: string | undefined, to: string): AsyncIterable<{ commit: string; paths: string[] }>;
  /** Hash of the tree or blob at a path, or undefined. */
  object(revision: string, path: string): Promise<string | undefined>;
  /** Content of a file, or undefined. */
  read(revision: string, path: string): Promise<string | undefined>;
  /** Paths of all files below a folder. */
  files(revision: string, path?: string): Promise<string[]>;
  /** What a commit holds beside plain files. */
  linksAndModules(revision: string): Promise<{ links: string[]; modules: string[] }>;
  /** Files at these paths (or globs) that are no more than Git LFS's note of where their content lies. */
  lfsPointers(revision: string, paths: string[]): Promise<string[]>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  /** Writes the files of a commit (below `path`, if given) into an empty directory, without `.git`. */
  checkout(revision: string, directory: string, path?: string): Promise<void>;
  /**
   * Brings a tree that another clone has into this one, with all that it holds, so that it can be written.
   *
   * @param path of the tree at `commit` of that repository
   */
  borrow(from: Repository, commit: string, path: string): Promise<void>;
  /** Packs a tree, with all that it holds, into a folder of packs. */
  packTree(commit: string, path: string, folder: string): Promise<void>;
  /** Asks to write, and writes nothing. Some forges find out only when something is written. @throws GitError refused */
  tryPush(): Promise<void>;
  writeRelease(write: ReleaseWrite): Promise<ReleaseWritten>;
  /** The commit that writing this release onto `tip` would make. It is in this process's clone alone. */
  draftRelease(tip: string, release: ReleaseContent): Promise<string>;
}

export type GitErrorKind =
  | 'auth'
  | 'forbidden'
  /** A commit or a branch; a repository that is not found may be hidden, which is `forbidden`. */
  | 'missing'
  | 'race'
  | 'certificate'
  | 'rate-limited'
  | 'unavailable'
  | 'failed';

const lasting = new Set<GitErrorKind>(['auth', 'forbidden', 'missing']);

/** Told apart here, where git's texts are known. */
export class GitError extends SystemError {
  override readonly name = 'GitError';
  readonly kind: GitErrorKind;

  constructor(
    kind: GitErrorKind,
    fact: string,
    circumstances: Omit<Circumstances, 'unreachable' | 'lasting'> = {},
  ) {
    super(fact, {
      ...circumstances,
      unreachable: kind === 'unavailable' || kind === 'certificate',
      lasting: lasting.has(kind),
    });
    this.kind = kind;
  }
}

/** What is asked of a repository; something else where it has no such commit, mostly since somebody rewrote a branch. */
export async function unlessMissing<T, O>(asked: Promise<T>, otherwise: O): Promise<T | O> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof GitError && error.kind === 'missing') return otherwise;
    throw error;
  }
}

export const hasCommit = async (repository: Pick<Repository, 'commit'>, commit: string): Promise<boolean> =>
  (await unlessMissing(repository.commit(commit), undefined)) !== undefined;
