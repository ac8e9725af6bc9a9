import { mkdtemp, rm, writeFile, mkdir, readFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRepository } from './repository.ts';
import type { ReleaseWrite, Repository } from './index.ts';
import { releaseTree } from './release-tree.ts';

let folder: string;
let origin: string;
let work: string;
let repository: Repository;

const as = {
  GIT_AUTHOR_NAME: 'Dev',
  GIT_AUTHOR_EMAIL: 'dev@example.com',
  GIT_COMMITTER_NAME: 'Dev',
  GIT_COMMITTER_EMAIL: 'dev@example.com',
};
const git = async (cwd: string, ...args: string[]) => (await execa('git', args, { cwd, env: as })).stdout;

async function commit(message: string, files: Record<string, string>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(work, path, '..'), { recursive: true });
    await writeFile(join(work, path), text);
  }
  await git(work, 'add', '-A');
  await git(work, 'commit', '-q', '-m', message);
  return git(work, 'rev-parse', 'HEAD');
}

const open = (name = 'clone') =>
  createRepository({
    url: origin,
    branch: 'main',
    directory: join(folder, name),
    committer: { name: 'gitops', email: 'gitops@example.com' },
    allowFiles: true,
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'git-test-'));
  origin = join(folder, 'origin.git');
  work = join(folder, 'work');
  await git(folder, 'init', '-q', '--bare', '-b', 'main', origin);
  await git(folder, 'clone', '-q', origin, work);
  await git(work, 'checkout', '-q', '-b', 'main');
  await commit('first', { 'm/a/base/deployment.yaml': 'kind: Deployment\n' });
  await git(work, 'push', '-q', 'origin', 'main');
  repository = open();
});
afterEach(() => rm(folder, { recursive: true }));

async function release(name: string, more: Partial<ReleaseWrite> = {}): Promise<ReleaseWrite> {
  const base = await repository.object(await repository.tip(), 'm/a/base');
  return {
    branch: 'main',
    path: `m/${name}/overlays/dev/release`,
    base: base ?? '',
    kustomization: `resources: [base] # ${name}\n`,
    expectedTree: undefined,
    message: `Release ${name}`,
    stillWanted: () => Promise.resolve(true),
    ...more,
  };
}

const count = async () => Number(await git(origin, 'rev-list', '--count', 'main'));

test('writes that come together become one push with one commit each', async () => {
  const pushes = join(folder, 'pushes');
  await writeFile(join(origin, 'hooks', 'post-receive'), `#!/bin/sh\necho push >> ${pushes}\n`, {
    mode: 0o755,
  });
  const writes = await Promise.all(Array.from({ length: 50 }, (_, i) => release(`s${i}`)));
  const written = await Promise.all(writes.map((write) => repository.writeRelease(write)));
  expect(new Set(written.map((one) => one.state === 'written' && one.revision)).size).toBe(50);
  expect(await count()).toBe(51);
  expect(await readFile(pushes, 'utf8')).toBe('push\n');
  const tip = await repository.tip();
  for (const { path, base, kustomization } of writes) {
    expect(await repository.object(tip, path)).toBe(releaseTree(base, kustomization));
  }
});

test('the same write twice is one commit', async () => {
  const write = await release('a');
  const [first, ...others] = await Promise.all(
    [write, write, write].map((one) => repository.writeRelease(one)),
  );
  const later = await repository.writeRelease(write);
  expect(first?.state).toBe('written');
  expect([...others, later]).toEqual([first, first, first]);
  expect(await count()).toBe(2);
});

test('a write over what its promotion did not see changes nothing', async () => {
  await repository.writeRelease(await release('a'));
  const late = await release('a', { kustomization: 'other\n' });
  expect((await repository.writeRelease(late)).state).toBe('changed');
  expect(await count()).toBe(2);
});

test('a write that nobody wants any more changes nothing', async () => {
  const write = await release('a', { stillWanted: () => Promise.resolve(false) });
  expect(await repository.writeRelease(write)).toEqual({ state: 'unwanted' });
  expect(await count()).toBe(1);
});

test('a push that another writer beats is built again on the new tip, and nothing is lost', async () => {
  let beaten = false;
  const write = await release('a', {
    stillWanted: async () => {
      if (beaten) return true;
      beaten = true;
      await commit('somebody else', { 'README.md': 'x' });
      await git(work, 'push', '-q', 'origin', 'main');
      return true;
    },
  });
  expect((await repository.writeRelease(write)).state).toBe('written');
  expect(await count()).toBe(3);
});

test('two processes that write at once lose nothing', async () => {
  const others = [repository, open('second'), open('third')];
  const writes = await Promise.all(Array.from({ length: 30 }, (_, i) => release(`s${i}`)));
  await Promise.all(writes.map((write, i) => (others[i % 3] ?? repository).writeRelease(write)));
  expect(await count()).toBe(31);
});

test('a push that was accepted but whose answer was lost is found', async () => {
  const hook = join(origin, 'hooks', 'post-receive');
  await writeFile(hook, '#!/bin/sh\nkill -9 $PPID\n');
  await chmod(hook, 0o755);
  const write = await release('a');
  await expect(repository.writeRelease(write)).rejects.toThrow();
  await rm(hook);
  expect((await repository.writeRelease(write)).state).toBe('written');
  expect(await count()).toBe(2);
});

test('a forge that forbids the push says what to change', async () => {
  const hook = join(origin, 'hooks', 'pre-receive');
  await writeFile(hook, '#!/bin/sh\necho "Not allowed to push to protected branch main" >&2\nexit 1\n');
  await chmod(hook, 0o755);
  await expect(repository.writeRelease(await release('a'))).rejects.toMatchObject({
    kind: 'forbidden',
    message: expect.stringContaining("Let this program's account push") as unknown,
  });
});

test("a promotion's branch is one commit on the protected branch, found again when asked twice", async () => {
  const write = await release('a', { branch: 'gitops/dev/a/1' });
  const first = await repository.writeRelease(write);
  await commit('main moves on', { 'README.md': 'y' });
  await git(work, 'push', '-q', 'origin', 'main');
  expect(await repository.writeRelease(write)).toEqual(first);
  expect(await count()).toBe(2);
});

test('a branch that somebody added to is written anew', async () => {
  const write = await release('a', { branch: 'gitops/dev/a/1' });
  await repository.writeRelease(write);
  await git(work, 'fetch', '-q', 'origin', 'gitops/dev/a/1');
  await git(work, 'checkout', '-q', '-B', 'theirs', 'FETCH_HEAD');
  await commit('sneaked in', { 'm/a/overlays/dev/release/extra.yaml': 'x' });
  await git(work, 'push', '-q', 'origin', 'HEAD:gitops/dev/a/1');
  const second = await repository.writeRelease(write);
  expect(second.state).toBe('written');
  expect(await git(origin, 'rev-list', '--count', 'main..gitops/dev/a/1')).toBe('1');
});

test('a merge that somebody put in its place, with the release and something else in it, is written anew', async () => {
  const write = await release('a', { branch: 'gitops/dev/a/1' });
  await repository.writeRelease(write);
  const older = await git(work, 'rev-parse', 'main');
  await commit('main moves on', { 'README.md': 'y' });
  await git(work, 'push', '-q', 'origin', 'main');
  await git(work, 'fetch', '-q', 'origin', 'gitops/dev/a/1');
  await git(work, 'checkout', '-q', '-B', 'theirs', 'FETCH_HEAD');
  await commit('sneaked in', { 'm/b/overlays/dev/patch.yaml': 'x' });
  const parents = ['-p', 'main', '-p', older];
  const merge = await git(work, 'commit-tree', '-m', 'x', ...parents, 'HEAD^{tree}');
  await git(work, 'push', '-q', '--force', 'origin', `${merge}:refs/heads/gitops/dev/a/1`);
  expect(await repository.writeRelease(write)).toMatchObject({ state: 'written' });
  expect(await git(origin, 'diff', '--name-only', 'main', 'gitops/dev/a/1')).not.toContain('patch.yaml');
});

test('what one process wrote to a branch, another one reads, and what nobody wrote is missing', async () => {
  const written = await repository.writeRelease(await release('a', { branch: 'gitops/dev/a/1' }));
  const revision = written.state === 'written' ? written.revision : '';
  const target = join(folder, 'checkout');
  await mkdir(target);
  await open('new').checkout(revision, target);
  const read = await readFile(join(target, 'm/a/overlays/dev/release/kustomization.yaml'), 'utf8');
  expect(read).toBe('resources: [base] # a\n');
  await expect(open('new').files('f'.repeat(40))).rejects.toMatchObject({ kind: 'missing' });
});

test('a merged branch is found on the protected branch', async () => {
  const write = await release('a', { branch: 'gitops/dev/a/1' });
  const first = await repository.writeRelease(write);
  await git(work, 'fetch', '-q', 'origin', 'gitops/dev/a/1');
  await git(work, 'merge', '-q', '--no-ff', '-m', 'Merge', 'FETCH_HEAD');
  await git(work, 'push', '-q', 'origin', 'main', ':gitops/dev/a/1');
  expect(await repository.writeRelease(write)).toEqual(first);
});

test('changes are ordered on the first-parent line, and a commit beside it is led to its merge', async () => {
  const first = await git(work, 'rev-parse', 'HEAD');
  await git(work, 'checkout', '-q', '-b', 'feature');
  const side = await commit('feature\n\nCo-authored-by: Pair <pair@example.com>', {
    'm/a/base/x.yaml': 'x\n',
  });
  await git(work, 'checkout', '-q', 'main');
  await git(work, 'merge', '-q', '--no-ff', '-m', 'Merge feature', 'feature');
  const merge = await git(work, 'rev-parse', 'HEAD');
  await git(work, 'push', '-q', 'origin', 'main');

  expect(await repository.position(first)).toBe(1);
  expect(await repository.position(merge)).toBe(2);
  expect(await repository.position(side)).toBeUndefined();
  expect(await repository.mergeOf(side)).toBe(merge);
  expect(await repository.mergeOf('f'.repeat(40))).toBeUndefined();
  expect(await repository.changedPaths(merge)).toEqual(['m/a/base/x.yaml']);
  expect(await Array.fromAsync(repository.commitsAfter(first, merge))).toEqual([
    { commit: merge, paths: ['m/a/base/x.yaml'] },
  ]);
  const log = await repository.log(first, merge, ['m/a/**'], []);
  expect(log.map(({ sha }) => sha)).toContain(side);
  expect(log.find(({ sha }) => sha === side)?.authors).toEqual([
    'Dev <dev@example.com>',
    'Pair <pair@example.com>',
  ]);
});

test('a commit is found on its branch, whatever the clocks of those who came after it said', async () => {
  const early = await commit('early', { 'm/a/base/x.yaml': 'x\n' });
  const env = { ...as, GIT_COMMITTER_DATE: '2001-01-01T00:00:00Z' };
  for (let late = 1; late <= 10; late += 1) {
    await execa('git', ['commit', '-q', '--allow-empty', '-m', `late ${late}`], { cwd: work, env });
  }
  await git(work, 'push', '-q', 'origin', 'main');
  expect(await repository.position(early)).toBe(2);
});

test('whatever a message holds, it hides no author', async () => {
  const first = await git(work, 'rev-parse', 'HEAD');
  const message = 'sub\u0001ject\u0002 \u001b[31m<!channel>\n\nCo-authored-by: Pair <pair@example.com>';
  const odd = await commit(message, { 'm/a/base/x.yaml': 'x\n' });
  const plain = await commit('plain', { 'm/a/base/x.yaml': 'y\n' });
  await git(work, 'push', '-q', 'origin', 'main');
  expect(await repository.log(first, plain, ['m/a/**'], [])).toMatchObject([
    { sha: plain, subject: 'plain', authors: ['Dev <dev@example.com>'] },
    {
      sha: odd,
      subject: 'sub\u0001ject\u0002 \u001b[31m<!channel>',
      authors: ['Dev <dev@example.com>', 'Pair <pair@example.com>'],
    },
  ]);
});

test('what came after a commit can be told though somebody has rewritten the branch', async () => {
  const dropped = await commit('dropped', { 'm/a/base/x.yaml': 'x\n' });
  await git(work, 'push', '-q', 'origin', 'main');
  await git(work, 'reset', '-q', '--hard', 'HEAD^');
  const instead = await commit('instead', { 'm/a/base/x.yaml': 'y\n' });
  await git(work, 'push', '-q', '--force', 'origin', 'main');

  expect(await repository.position(dropped)).toBeUndefined();
  expect(await open('new').log(dropped, instead, ['m/a/**'], [])).toMatchObject([{ sha: instead }]);
});

test('a checkout holds the files of that very commit, and no .git', async () => {
  const target = join(folder, 'checkout');
  await mkdir(target);
  await repository.checkout(await repository.tip(), target, 'm/a');
  expect(await readFile(join(target, 'base/deployment.yaml'), 'utf8')).toBe('kind: Deployment\n');
});

test.each(['HEAD', '--upload-pack=id', 'abc', `${'a'.repeat(40)};id`, 'A'.repeat(40)])(
  'the commit %s is refused before git sees it',
  async (commit) => {
    await expect(repository.changedPaths(commit)).rejects.toMatchObject({ kind: 'missing' });
  },
);

test('a checkout holds exactly the bytes of its commit, whatever its attributes say', async () => {
  const sha = await commit('attributes', {
    '.gitattributes': [
      '[attr]hidden export-ignore',
      '**/tests export-ignore',
      '*.txt export-subst ident text eol=crlf',
      '*.wide working-tree-encoding=UTF-16 text',
      '*.bin filter=lfs diff=lfs merge=lfs -text',
      'secret.yaml hidden',
    ].join('\n'),
    'm/a/.gitattributes': 'nested.yaml export-ignore\n',
    'm/a/nested.yaml': 'kind: Nested\n',
    'm/a/tests/total.test.mjs': 'throw new Error();\n',
    'about.txt': '$Format:%H$ $Id$\nline\n',
    'model.bin': 'bytes',
    'secret.yaml': 'kind: Secret\n',
  });
  await git(work, 'push', '-q', 'origin', 'main');
  await repository.tip();

  const directory = join(folder, 'checkout');
  await mkdir(directory);
  await repository.checkout(sha, directory);

  const committed = (await git(work, 'ls-tree', '-r', '--format=%(objectname) %(path)', sha)).split('\n');
  const found = await Promise.all(
    committed.map(async (line) => {
      const path = line.slice(41);
      return `${await git(work, 'hash-object', '--no-filters', join(directory, path))} ${path}`;
    }),
  );
  expect(found).toEqual(committed);
});
