import { join } from 'node:path';
import { execa } from 'execa';
import { Clone, type CloneOptions } from './clone.ts';
import { git, gitEnvironment } from './git.ts';
import { writeCommits } from './commits.ts';
import { GroupCommit } from './group-commit.ts';
import { writeBranch } from './write-branch.ts';
import { GitError, type Commit, type Repository } from './index.ts';

const fullHash = /^[0-9a-f]{40}$/;

/** Five fields, each ended by NUL: the only character that no commit can hold. */
const logFormat = '%H%x00%s%x00%an <%ae>%x00%(trailers:key=Co-authored-by,valueonly,separator=%x02)%x00%cI';

/** Who looks for the newest change of something mostly finds it among these. */
const commitsAtATime = 500;

/** @param options where the repository is, and where its clone is kept */
export function createRepository(options: CloneOptions): Repository {
  const clone = new Clone(options);
  const group = new GroupCommit(clone);

  /**
   * A commit by its full hash, fetched if it is not here yet: another process may have written it to a branch, or somebody
   * rewrote the branch that it was on. @throws GitError `missing`
   */
  async function known(commit: string): Promise<string> {
    if (!fullHash.test(commit)) throw new GitError('missing', `${commit} is no full commit hash.`);
    if (await clone.has(commit)) return commit;
    await clone.fetch();
    if (await clone.has(commit)) return commit;
    try {
      await clone.fetchCommit(commit);
      return commit;
    } catch (error) {
      if (!(error instanceof GitError) || error.kind !== 'missing') throw error;
      throw new GitError('missing', `${commit} is not in ${options.url}.`);
    }
  }

  async function tip(): Promise<string> {
    await clone.fetch();
    return (await clone.git(['rev-parse', clone.tipRef])).trim();
  }

  const lines = async (args: string[]): Promise<string[]> =>
    (await clone.git(args)).split('\n').filter((line) => line !== '');

  async function isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    if (ancestor === descendant) return true;
    const both = [await known(ancestor), await known(descendant)];
    // Whatever the clocks say of those who committed: `rev-list` stops early where a commit is older than its parents.
    const heads = await lines(['merge-base', '--independent', ...both]);
    return !heads.includes(ancestor);
  }

  /** The first-parent commit by which a commit reached the branch: itself, when it is on that line. */
  async function mergeOf(commit: string, at?: string): Promise<string | undefined> {
    const head = at === undefined ? await tip() : await known(at);
    if (commit === head) return commit;
    if (!(await clone.has(commit)) || !(await isAncestor(commit, head))) return undefined;
    const line = new Set(await lines(['rev-list', '--first-parent', head]));
    if (line.has(commit)) return commit;
    const path = await lines([
      'rev-list',
      '--ancestry-path',
      '--topo-order',
      '--reverse',
      `${commit}..${head}`,
    ]);
    return path.find((sha) => line.has(sha));
  }

  return {
    tip,
    mergeOf,
    isAncestor,

    async position(commit, at) {
      if ((await mergeOf(commit, at)) !== commit) return undefined;
      return Number(await clone.git(['rev-list', '--count', '--first-parent', commit]));
    },

    async commit(sha) {
      const text = await clone.git(['log', '-z', '-1', `--format=${logFormat}`, await known(sha)]);
      const [found] = parseLog(text);
      if (!found) throw new GitError('failed', `${sha} could not be read.`);
      return found;
    },

    async log(from, to, paths, without = []) {
      const range = from === undefined ? await known(to) : `${await known(from)}..${await known(to)}`;
      const text = await clone.git([
        'log',
        '-z',
        // Also what a merge made no difference of: its authors worked on the service all the same.
        '--full-history',
        `--format=${logFormat}`,
        range,
        '--',
        ...paths.map(pathspec),
        ...without.map(excluded),
      ]);
      return parseLog(text);
    },

    async lastChange(to, folder, without) {
      const range = ['log', '-1', '--first-parent', '--format=%H', await known(to)];
      const found = await clone.git([...range, '--', pathspec(folder), ...without.map(excluded)]);
      return found.trim() || undefined;
    },

    async changedPaths(commit) {
      await known(commit);
      const text = await clone.git([
        'diff-tree',
        '-r',
        '-z',
        '--root',
        '--no-commit-id',
        '--name-only',
        '--diff-merges=first-parent',
        commit,
      ]);
      return text.split('\0').filter(Boolean);
    },

    async differingPaths(from, to) {
      const trees = [await known(from), await known(to)];
      const text = await clone.git(['diff-tree', '-r', '-z', '--name-only', ...trees]);
      return text.split('\0').filter(Boolean);
    },

    async *commitsAfter(from, to) {
      const range = from === undefined ? await known(to) : `${await known(from)}..${await known(to)}`;
      for (let skip = 0; ; skip += commitsAtATime) {
        const text = await clone.git([
          'log',
          '-z',
          '--first-parent',
          '--diff-merges=first-parent',
          '--no-renames',
          '--name-only',
          // No path begins so.
          '--format=//%H',
          `--skip=${skip}`,
          `--max-count=${commitsAtATime}`,
          range,
        ]);
        const commits = parseChangedPaths(text);
        yield* commits;
        if (commits.length < commitsAtATime) return;
      }
    },

    async object(revision, path) {
      await known(revision);
      const line = await clone.git(['ls-tree', '-z', '--full-tree', revision, '--', path]);
      return line === '' ? undefined : line.split('\t')[0]?.split(' ')[2];
    },

    async read(revision, path) {
      await known(revision);
      const hash = await this.object(revision, path);
      return hash === undefined ? undefined : clone.git(['cat-file', 'blob', hash]);
    },

    async files(revision, path) {
      await known(revision);
      const below = path === undefined ? [] : ['--', path];
      const text = await clone.git(['ls-tree', '-r', '-z', '--name-only', '--full-tree', revision, ...below]);
      return text.split('\0').filter(Boolean);
    },

    async linksAndModules(revision) {
      await known(revision);
      const text = await clone.git(['ls-tree', '-r', '-z', '--full-tree', revision]);
      const entries = text.split('\0').filter(Boolean);
      const ofMode = (mode: string): string[] =>
        entries
          .filter((entry) => entry.startsWith(`${mode} `))
          .map((entry) => entry.slice(entry.indexOf('\t') + 1));
      return { links: ofMode('120000'), modules: ofMode('160000') };
    },

    async lfsPointers(revision, paths) {
      await known(revision);
      const search = ['grep', '--files-with-matches', '--null', '-I', '-e', `^${lfsPointer}`];
      const text = await git(options.directory, [...search, revision, '--', ...paths.map(pathspec)], {
        exitCodeOfNothing: 1,
      });
      const found = text
        .split('\0')
        .filter(Boolean)
        .map((path) => path.slice(revision.length + 1));
      const contents = await Promise.all(found.map((path) => this.read(revision, path)));
      // Others may quote such a note.
      return found.filter((_, i) => contents[i]?.startsWith(lfsPointer));
    },

    async checkout(revision, directory, path) {
      await known(revision);
      const tree = path === undefined ? revision : `${revision}:${path}`;
      await extract(options.directory, tree, directory);
    },

    async borrow(from, commit, path) {
      const tree = await from.object(commit, path);
      if (tree === undefined) throw new GitError('missing', `There is no ${path} at ${commit}.`);
      // That makes the clone, where nothing was asked of it yet.
      await tip();
      await from.packTree(commit, path, join(options.directory, 'objects/pack'));
    },

    async packTree(commit, path, folder) {
      await known(commit);
      // Named by what is in it, and moved to its name when it is whole: to do so twice, or side by side, does no harm.
      await clone.git(['pack-objects', '--quiet', '--revs', join(folder, 'pack')], `${commit}:${path}\n`);
    },

    async tryPush() {
      await clone.git([
        'push',
        '--dry-run',
        '--porcelain',
        '--end-of-options',
        options.url,
        `${await tip()}:refs/heads/gitops/doctor`,
      ]);
    },

    writeRelease: (write) =>
      write.branch === options.branch ? group.write(write) : writeBranch(clone, write),

    async draftRelease(tip, release) {
      const [draft = tip] = await writeCommits(clone, await known(tip), [release]);
      return draft;
    },
  };
}

/** How a file begins of which Git LFS keeps the content elsewhere. (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md) */
const lfsPointer = 'version https://git-lfs.github.com/spec/v1';

const excluded = (glob: string): string => `:(top,exclude,glob)${glob}`;

/** A glob of the configuration as git understands it, always from the repository's root. */
const pathspec = (glob: string): string =>
  /[*?[]/.test(glob) ? `:(top,glob)${glob}` : `:(top,literal)${glob}`;

function parseLog(text: string): Commit[] {
  const fields = text.split('\0');
  return Array.from({ length: Math.floor(fields.length / 5) }, (_, i) => {
    const [sha = '', subject = '', author = '', coAuthors = '', committedAt = ''] = fields.slice(
      5 * i,
      5 * i + 5,
    );
    return { sha, subject, authors: [author, ...coAuthors.split('\x02').filter(Boolean)], committedAt };
  });
}

/** `//<hash>`, then each path; the first of them after a newline. */
function parseChangedPaths(text: string): { commit: string; paths: string[] }[] {
  const commits: { commit: string; paths: string[] }[] = [];
  for (const field of text.split('\0').filter(Boolean)) {
    const paths = commits.at(-1)?.paths;
    if (field.startsWith('//')) commits.push({ commit: field.slice(2), paths: [] });
    else paths?.push(paths.length === 0 ? field.slice(1) : field);
  }
  return commits;
}

/** Git writes what it would check out as a tar, so there is no `.git`, no index and no second copy. */
async function extract(repository: string, tree: string, directory: string): Promise<void> {
  const options = { env: gitEnvironment([]), extendEnv: false, timeout: 10 * 60_000, buffer: false } as const;
  try {
    await execa('git', ['--git-dir', repository, 'archive', '--format=tar', tree], options).pipe(
      'tar',
      ['-x', '--no-same-owner', '-C', directory],
      options,
    );
  } catch (error) {
    throw new GitError(
      'failed',
      `The files of ${tree} could not be written to ${directory}. Is there space left?`,
      { cause: error },
    );
  }
}
