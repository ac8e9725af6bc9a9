import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { interleaved, judged, over, rangeOf, side, timed, type Parameters, type Report } from './harness.ts';
import { gitops, startWorker } from './worker.ts';

/** How long a process takes to begin: what people type, and a worker that has to replace another. */
export async function run({ rounds = 15 }: Parameters = {}): Promise<Report> {
  await execa('npm', ['run', 'build'], { stdin: 'ignore' });
  const folder = await mkdtemp(join(tmpdir(), 'bench-start-'));
  const node = (...args: string[]) => execa(process.execPath, args, { stdin: 'ignore' });
  try {
    const worker = await workerOf(folder);
    const sides = {
      'node -e 0': () => timed(() => node('-e', '0')),
      'kubectl version --client': () => timed(() => execa('kubectl', ['version', '--client'])),
      'gitops --help': () => timed(() => node(gitops, '--help')),
      'gitops status': () => timed(() => node(gitops, 'status')),
      'gitops worker': worker,
    };
    await interleaved(1, sides); // What Node compiled is kept for the next start.
    const samples = await interleaved(rounds, sides);
    const against = (name: keyof typeof sides) => over(samples[name], samples['node -e 0']);
    return {
      sides: Object.fromEntries(Object.entries(samples).map(([name, each]) => [name, side('ms', each)])),
      ratios: {
        'gitops --help / node -e 0': judged(against('gitops --help'), { atMost: 2 }),
        'gitops --help / kubectl version --client': rangeOf(
          over(samples['gitops --help'], samples['kubectl version --client']),
        ),
        'gitops status / node -e 0': rangeOf(against('gitops status')),
        'gitops worker / node -e 0': rangeOf(against('gitops worker')),
      },
      bounds: {
        'gitops worker is ready': { unit: 'ms', ...judged(samples['gitops worker'], { atMost: 1500 }) },
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A worker of a platform that nobody delivers on; its systems other than Temporal are nowhere. @returns its start, timed */
async function workerOf(folder: string): Promise<() => Promise<number>> {
  const nowhere = 'http://127.0.0.1:9';
  const file = join(folder, 'gitops.yaml');
  const configuration = {
    platform: `bench-${process.pid}`,
    repository: { url: `${nowhere}/team/platform.git` },
    forge: { kind: 'gitea', url: nowhere, token: 'env:NONE' },
    registry: { image: 'registry.example/team/{service}' },
    objects: { endpoint: nowhere, bucket: 'state' },
    manifests: 'manifests/{service}',
    services: { discover: ['services/*'] },
    environments: [{ name: 'dev', entersBy: 'push' }],
  };
  await writeFile(file, stringify(configuration));
  const env = { GITOPS_CONFIG: file, GITOPS_WORK_DIRECTORY: join(folder, 'work') };
  return async () => {
    const start = performance.now();
    const worker = await startWorker(env);
    const ms = performance.now() - start;
    await worker.end();
    return ms;
  };
}
