import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { makeGiteaRepository } from '../test/support/gitea.ts';
import { createRepository, type Repository } from '../src/systems/git/index.ts';

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

  await execa('git', ['clone', '--quiet', url, seed], { env });
  for (const service of services) await writeBase(join(seed, 'deploy', service, 'base'), service);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Add services');
  await git('push', '--quiet');
  const beginning = await git('rev-parse', 'HEAD');

  const repository = createRepository({
    url,
    branch: 'main',
    token: gitea.token('bot'),
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

async function writeBase(folder: string, service: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kustomization.yaml'), 'resources: [deployment.yaml]\n');
  await writeFile(
    join(folder, 'deployment.yaml'),
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${service}\n`,
  );
}

/** The machine's own settings of Git stay out of it, and the token out of process lists. */
function gitEnvironment(token: string): Record<string, string> {
  const credentials = Buffer.from(`x-access-token:${token}`).toString('base64');
  const settings = {
    'http.extraHeader': `Authorization: Basic ${credentials}`,
    'user.name': 'bench',
    'user.email': 'bench@example.com',
  };
  const entries = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}
