import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createS3 } from '../src/systems/objects/s3.ts';
import { makeGiteaRepository, type GiteaRepository } from './support/gitea.ts';

/**
 * What `make` promises of the local stack. Each test ends with all of it running. To lose the cluster belongs to
 * recreation.alone.test.ts, which brings back what others had in it.
 */
const checkout = fileURLToPath(new URL('..', import.meta.url));
const run = join(checkout, '.stack/run');

/** From nothing, with everything built, it is ready within a minute; two cores may be busy with something else. */
const patience = 180_000;

let gitea: GiteaRepository;
let kept: Awaited<ReturnType<typeof keep>>;

beforeAll(async () => {
  gitea = await makeGiteaRepository();
  kept = await keep();
}, patience);

afterAll(async () => {
  await kubectl('delete', 'configmap', kept.id, '-n', 'default', '--ignore-not-found');
  await kubectl(scratch, 'delete', 'configmap', kept.id, '-n', 'default');
  await gitea.remove();
});

const make = (target: string) => execa('make', [target], { cwd: checkout, timeout: patience });
const scratch = `--kubeconfig=${join(checkout, '.stack/scratch/kubeconfig')}`;
const kubectl = (...args: string[]) =>
  execa('kubectl', ['--request-timeout=20s', ...args], { timeout: 30_000 });
const programs = (): string[] =>
  readdirSync(run)
    .map((file) => file.replace('.pid', ''))
    .filter((name) => !['worker', 'server'].includes(name));
const pidOf = (name: string): number => Number(readFileSync(join(run, `${name}.pid`), 'utf8'));

/** Leaves something with each system that keeps things. */
async function keep() {
  const id = `kept-${randomUUID()}`;
  await withTemporal((client) => client.workflow.start('nothing', { workflowId: id, taskQueue: 'nobody' }));
  await objects().put(id, 'kept');
  await kubectl('create', 'configmap', id, '-n', 'default');
  await kubectl(scratch, 'create', 'configmap', id, '-n', 'default');
  const commit = await gitea.commit('main', 'kept.txt', 'kept');
  return { id, commit };
}

async function expectKept(): Promise<void> {
  const { status } = await withTemporal((client) => client.workflow.getHandle(kept.id).describe());
  expect(status.name).toBe('RUNNING');
  expect((await objects().get(kept.id))?.body).toBe('kept');
  expect(await gitea.api('GET', `/git/commits/${kept.commit}`)).toMatchObject({ sha: kept.commit });
  expect(await configMap()).toBe(`configmap/${kept.id}`);
  expect(await configMap(scratch)).toBe(`configmap/${kept.id}`);
}

async function configMap(...of: string[]): Promise<string> {
  const get = ['get', 'configmap', kept.id, '-n', 'default', '--ignore-not-found', '-o=name'];
  return (await kubectl(...of, ...get)).stdout;
}

const objects = () =>
  createS3({ bucket: 'gitops-state', region: 'us-east-1', endpoint: process.env['S3_ENDPOINT'] ?? '' });

async function withTemporal<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

function expectAllRun(): void {
  const dead = programs().filter((name) => !existsSync(`/proc/${pidOf(name)}`));
  expect(dead).toEqual([]);
}

test(
  'make up again changes nothing',
  async () => {
    const before = programs().map((name) => [name, pidOf(name)]);
    await make('systems');
    expect(programs().map((name) => [name, pidOf(name)])).toEqual(before);
  },
  patience,
);

test(
  'what was killed comes back by make up, one or all of them, and nothing is lost that Temporal, Git, S3 or etcd had',
  async () => {
    expect(programs()).toHaveLength(15);
    const some = [['temporal', 'etcd'], ['gitea', 's3'], ['node', 'kube-apiserver'], ['scratch-etcd']];
    for (const names of [...some, programs()]) {
      for (const name of names) process.kill(pidOf(name), 'SIGKILL');
      await make('systems');
      expectAllRun();
      await expectKept();
    }
  },
  5 * patience,
);

test(
  'what ends while the others come up is started again by the same make up, and it says so',
  async () => {
    const before = pidOf('coredns');
    // The node takes its time, and so there is something to wait for when DNS ends again.
    for (const name of ['node', 'coredns']) process.kill(pidOf(name), 'SIGKILL');
    const making = make('systems');
    await expect.poll(() => pidOf('coredns'), { timeout: patience }).not.toBe(before);
    process.kill(pidOf('coredns'), 'SIGKILL');
    expect((await making).stderr).toContain('coredns ended: starting it again');
    expectAllRun();
  },
  2 * patience,
);

test(
  'make stop leaves no process, mount, network device or table behind, and what was kept is there after the next start',
  async () => {
    await make('stop');
    const processes = readdirSync('/proc').filter((pid) =>
      environmentOf(pid).includes(`GITOPS_STACK=${checkout.slice(0, -1)}\0`),
    );
    expect(processes).toEqual([]);
    const mounts = readFileSync('/proc/mounts', 'utf8');
    // Its files, its node, its forge, and where its worker builds.
    for (const place of [checkout, '/run/gitops', '/mnt/gitea', '/var/tmp/gitops-stack']) {
      expect(mounts).not.toContain(place);
    }
    expect((await execa('ip', ['-brief', 'link'])).stdout).not.toMatch(/gitops|veth/);
    expect((await execa('nft', ['list', 'tables'])).stdout).not.toContain('kube-proxy');
    await make('systems');
    expectAllRun();
    await expectKept();
  },
  2 * patience,
);

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
