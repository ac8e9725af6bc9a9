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
  /** Puts a symbolic link into the work tree. */
  link(target: string, path: string): Promise<void>;
  git(...args: string[]): Promise<string>;
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
    await git('add', '-A');
    await git('commit', '-q', '-m', message);
    await git('push', '-q', 'origin', 'HEAD');
    return git('rev-parse', 'HEAD');
  }
  await commit('first', files);

  return {
    commit,
    async link(target, path) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await symlink(target, join(work, path));
    },
    git,
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
