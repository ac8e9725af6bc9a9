import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { createRepository } from '../../src/systems/git/repository.ts';
import type { Repository } from '../../src/systems/git/index.ts';

/** A repository on disk, without a forge: a developer's work tree, and the bare one that both push to. */
export interface DiskRepository {
  repository: Repository;
  /** Commits to the branch that is checked out, and pushes it. @returns its hash */
  commit(message: string, files: Record<string, string>): Promise<string>;
  /** Commits what no file is: a link (mode 120000, with what it leads to) or a submodule (160000, with its commit). */
  entry(mode: '120000' | '160000', path: string, content: string): Promise<string>;
  /** Puts a symbolic link into the work tree. */
  link(target: string, path: string): Promise<void>;
  git(...args: string[]): Promise<string>;
  /** Many commits at once, as a stream of `git fast-import`, on the work tree's branches. */
  fastImport(stream: string): Promise<void>;
  remove(): Promise<void>;
}

export async function makeDiskRepository(files: Record<string, string>): Promise<DiskRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-repository-'));
  const origin = join(folder, 'origin.git');
  const work = join(folder, 'work');
  const env = {
    GIT_AUTHOR_NAME: 'Dev',
    GIT_AUTHOR_EMAIL: 'dev@example.com',
    GIT_COMMITTER_NAME: 'Dev',
    GIT_COMMITTER_EMAIL: 'dev@example.com',
  };
  const git = async (...args: string[]) => (await execa('git', args, { cwd: work, env })).stdout;
  await mkdir(work);
  await git('init', '-q', '--bare', '-b', 'main', origin);
  await git('init', '-q', '-b', 'main');
  await git('remote', 'add', 'origin', origin);

  async function commit(message: string, changed: Record<string, string>): Promise<string> {
    for (const [path, text] of Object.entries(changed)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    // Of all else the index stays as it is: an entry has no file.
    await git('add', '--', ...Object.keys(changed));
    return publish(message);
  }

  async function entry(mode: string, path: string, content: string): Promise<string> {
    const options = { cwd: work, input: content };
    const object =
      mode === '160000' ? content : (await execa('git', ['hash-object', '-w', '--stdin'], options)).stdout;
    await git('rm', '-r', '-q', '--cached', '--ignore-unmatch', path);
    await git('update-index', '--add', '--cacheinfo', `${mode},${object},${path}`);
    return publish(path);
  }

  async function publish(message: string): Promise<string> {
    await git('commit', '-q', '-m', message);
    await git('push', '-q', 'origin', 'HEAD');
    return git('rev-parse', 'HEAD');
  }
  await commit('first', files);

  return {
    commit,
    entry,
    async link(target, path) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await symlink(target, join(work, path));
    },
    git,
    async fastImport(input) {
      await execa('git', ['fast-import', '--quiet', '--force'], { cwd: work, env, input });
    },
    repository: createRepository({
      url: origin,
      branch: 'main',
      directory: join(folder, 'clone'),
      committer: { name: 'gitops', email: 'gitops@example.com' },
      allowFiles: true,
    }),
    remove: () => rm(folder, { recursive: true }),
  };
}
