import pLimit from 'p-limit';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { makeGiteaRepository } from '../test/support/gitea.ts';
import { createRepository } from '../src/systems/git/repository.ts';
import type { Repository } from '../src/systems/git/index.ts';
import { gitEnvironment, pushFiles } from './git.ts';

/** A fresh repository of the forge with the manifests of many services in it, and a clone of it beside. */
export interface Monorepo {
  services: string[];
  /** As this program sees it; its clone is warm, as a worker's is. */
  repository: Repository;
  /** A folder with one clone for every service, named after it, with that service's manifests checked out. */
  clones: () => Promise<string>;
  /** Environment of processes that push. */
  env: Record<string, string>;
  /** Services whose release to dev is on the protected branch, and commits since the beginning. */
  landed: () => Promise<{ releases: number; commits: number }>;
  remove(): Promise<void>;
}

export async function makeMonorepo(size: number): Promise<Monorepo> {
  const services = Array.from({ length: size }, (_, index) => `service-${index + 1}`);
  const gitea = await makeGiteaRepository();
  const url = `${gitea.url}/${gitea.owner}/${gitea.name}.git`;
  const folder = await mkdtemp(join(tmpdir(), 'bench-monorepo-'));
  const seed = join(folder, 'seed');
  const env = gitEnvironment(gitea.token('bot'));
  const git = async (...args: string[]) => (await execa('git', args, { cwd: seed, env })).stdout;

  const bases = services.flatMap((service) => Object.entries(baseOf(service)));
  const beginning = await pushFiles(url, seed, env, Object.fromEntries(bases));

  const repository = createRepository({
    url,
    branch: 'main',
    token: () => gitea.token('bot'),
    directory: join(folder, 'clone'),
    committer: { name: 'gitops', email: 'gitops@example.com' },
  });
  await repository.tip();

  return {
    services,
    repository,
    env,

    async clones() {
      const clones = join(folder, 'clones');
      await mkdir(clones);
      const limit = pLimit(4);
      await limit.map(services, async (service) => {
        const cwd = join(clones, service);
        await execa('git', ['clone', '--quiet', '--shared', '--sparse', seed, cwd], { env });
        await execa('git', ['sparse-checkout', 'set', `deploy/${service}`], { cwd, env });
        await execa('git', ['remote', 'set-url', 'origin', url], { cwd, env });
      });
      return clones;
    },

    async landed() {
      await git('fetch', '--quiet');
      const files = await git('ls-tree', '-r', '--name-only', 'origin/main');
      const released = files.split('\n').filter((file) => file.endsWith('/dev/release/kustomization.yaml'));
      return {
        releases: released.length,
        commits: Number(await git('rev-list', '--count', `${beginning}..origin/main`)),
      };
    },

    async remove() {
      await gitea.remove();
      await rm(folder, { recursive: true });
    },
  };
}

const baseOf = (service: string): Record<string, string> => ({
  [`deploy/${service}/base/kustomization.yaml`]: 'resources: [deployment.yaml]\n',
  [`deploy/${service}/base/deployment.yaml`]: `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${service}\n`,
});
