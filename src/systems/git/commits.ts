import { randomUUID } from 'node:crypto';
import type { Clone } from './clone.ts';
import type { ReleaseContent } from './index.ts';

/** Trees of folders at a commit, by path; those that are not there are missing. */
export async function treesAt(clone: Clone, commit: string, paths: string[]): Promise<Map<string, string>> {
  const unique = [...new Set(paths)];
  const listing = await clone.git(['ls-tree', '-z', '--full-tree', commit, '--', ...unique]);
  return new Map(
    listing
      .split('\0')
      .filter(Boolean)
      .map((line) => {
        const [meta = '', path = ''] = line.split('\t');
        return [path, meta.split(' ')[2] ?? ''];
      }),
  );
}

/** One commit each, on top of each other. @returns their hashes, in order */
export async function writeCommits(
  clone: Clone,
  parent: string,
  releases: readonly ReleaseContent[],
): Promise<string[]> {
  const { name, email } = clone.options.committer;
  const ref = `refs/gitops/${randomUUID()}`;
  const seconds = Math.floor(Date.now() / 1000);
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const stream = releases.map(({ path, base, kustomization, message }, index) =>
    [
      `commit ${ref}`,
      `mark :${index + 1}`,
      `committer ${name} <${email}> ${seconds} +0000`,
      `${data(message)}from ${index === 0 ? parent : `:${index}`}`,
      `D ${path}`,
      `M 040000 ${base} ${path}/base`,
      `M 100644 inline ${path}/kustomization.yaml`,
      data(kustomization),
      `get-mark :${index + 1}`,
    ].join('\n'),
  );
  const input = `feature done\n${stream.join('\n')}\ndone\n`;
  const marks = await clone.git(['fast-import', '--quiet', '--done', '--date-format=raw'], input);
  await clone.git(['update-ref', '-d', ref]);
  return marks.trim().split('\n');
}

/**
 * @param replaces what the branch must be at; empty: it must not be there
 * @throws GitError `race` when somebody was there first
 */
export async function push(clone: Clone, commit: string, branch: string, replaces: string): Promise<void> {
  const { url } = clone.options;
  await clone.git([
    'push',
    '--porcelain',
    `--force-with-lease=refs/heads/${branch}:${replaces}`,
    '--end-of-options',
    url,
    `${commit}:refs/heads/${branch}`,
  ]);
}
