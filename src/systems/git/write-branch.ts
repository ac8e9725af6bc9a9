import type { Clone } from './clone.ts';
import { push, treesAt, writeCommits } from './commits.ts';
import { releaseTree } from './release-tree.ts';
import type { ReleaseWrite, ReleaseWritten } from './index.ts';

/**
 * Writes a release to a branch of its own, one commit on top of the protected branch. The same write finds what it
 * wrote: on its branch, or on the protected branch once that was merged.
 */
export async function writeBranch(clone: Clone, write: ReleaseWrite): Promise<ReleaseWritten> {
  const { branch, path, base, kustomization, expectedTree } = write;
  const tree = releaseTree(base, kustomization);
  await clone.fetch();
  const tip = (await clone.git(['rev-parse', clone.tipRef])).trim();
  const merged = (await treesAt(clone, tip, [path])).get(path);
  if (merged === tree) return { state: 'written', revision: await lastCommitTo(clone, tip, path), tree };
  if (merged !== expectedTree) return { state: 'changed', tree: merged };

  const head = await clone.fetchBranch(branch);
  if (head !== undefined && (await isOurs(clone, head, path, tree))) {
    return { state: 'written', revision: head, tree };
  }
  if (!(await write.stillWanted(tip))) return { state: 'unwanted' };
  const [commit = tip] = await writeCommits(clone, tip, [write]);
  // Without a branch there is nothing to replace, which the empty lease says.
  await push(clone, commit, branch, head ?? '');
  return { state: 'written', revision: commit, tree };
}

/** The commit that wrote a folder, which on a merged branch is the branch's own. */
async function lastCommitTo(clone: Clone, tip: string, path: string): Promise<string> {
  return (await clone.git(['log', '-1', '--format=%H', tip, '--', path])).trim();
}

/** Our commit, alone, on the protected branch: one that somebody added to is not, nor is a merge, which may hold anything. */
async function isOurs(clone: Clone, head: string, path: string, tree: string): Promise<boolean> {
  if ((await treesAt(clone, head, [path])).get(path) !== tree) return false;
  const ahead = await clone.git(['rev-list', '--parents', `${clone.tipRef}..${head}`]);
  const [, parent, ...others] = ahead.trim().split(/\s/);
  if (parent === undefined || others.length > 0) return false;
  const changed = await clone.git(['diff-tree', '-z', '--name-only', '-r', parent, head]);
  return changed.split('\0').every((file) => file === '' || file.startsWith(`${path}/`));
}
