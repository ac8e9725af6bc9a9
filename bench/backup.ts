import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import { startControlPlane } from '../test/support/control-plane.ts';
import { fill, install } from './argocd-state.ts';
import { makeBackupPlatform, type BackupPlatform } from './backup-platform.ts';
import { comparator } from './comparator.ts';
import { interleaved, judged, over, side, timed, type Parameters, type Report } from './harness.ts';

const timeout = 10 * 60_000;

/**
 * A backup of many Applications, encrypted, against `argocd admin export | gzip` and `aws s3 cp`. The API server is one
 * of its own, and of Argo CD there are only its definitions and its settings: neither side needs more.
 */
export async function run({ rounds = 3, services = [1000, 10_000] }: Parameters = {}): Promise<Report> {
  const [few = 1000, many = 10_000] = services.toSorted((a, b) => a - b);
  const plane = await startControlPlane();
  const platform = await makeBackupPlatform(plane);
  try {
    await install(plane.kubernetes);
    await fill(plane.kubernetes, 0, few);
    // Compiles what the others find compiled, as who runs `gitops` does.
    await ours(platform, few);
    const small = await ours(platform, few);
    await fill(plane.kubernetes, few, many);

    const stored: Stored[] = [];
    const sizes: number[] = [];
    const times = await interleaved(rounds, {
      ours: () => timed(async () => stored.push(await ours(platform, many))),
      theirs: async () => {
        const ms = await timed(() => exportAndUpload(platform));
        sizes.push((await stat(join(platform.folder, 'backup.yaml.gz'))).size);
        return ms;
      },
    });
    const size = stored.map((one) => one.size);
    const peak = stored.map(({ peakBytes }) => peakBytes / 1e6);
    const stripped = [await withoutStatus(platform)];
    return {
      sides: {
        ours: side('ms', times.ours),
        'argocd admin export, gzip, aws s3 cp': side('ms', times.theirs),
        'ours: stored': side('bytes', size),
        'export: stored': side('bytes', sizes),
        'export without status: stored': side('bytes', stripped),
        [`ours: peak memory at ${few}`]: side('MB', [small.peakBytes / 1e6]),
        [`ours: peak memory at ${many}`]: side('MB', peak),
      },
      ratios: {
        'time: export / ours': judged(over(times.theirs, times.ours), { atLeast: 3 }),
        'bytes: export / ours': judged(over(sizes, size), { atLeast: 3 }),
        'bytes: export without status / ours': judged(
          size.map((one) => (stripped[0] ?? NaN) / one),
          { atLeast: 3 },
        ),
        [`peak memory: ${many} / ${few}`]: judged(
          peak.map((one) => one / (small.peakBytes / 1e6)),
          { atMost: 1.2 },
        ),
      },
      bounds: { 'our peak memory': { ...judged(peak, { atMost: 200 }), unit: 'MB' } },
      notes: [`${many} Applications. Each side is a process that starts, reads all of them and stores them.`],
    };
  } finally {
    await platform.remove();
    await plane.remove();
  }
}

const storedSchema = z.object({
  size: z.number(),
  applications: z.number(),
  peakBytes: z.number(),
});
type Stored = z.infer<typeof storedSchema>;

async function ours({ config, kubeconfig, folder }: BackupPlatform, count: number): Promise<Stored> {
  const script = fileURLToPath(new URL('back-up-once.ts', import.meta.url));
  // As bin/gitops.js is started.
  const args = ['--max-semi-space-size=8', script, config, kubeconfig, `argocd/${randomUUID()}`];
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const { stdout } = await execa(process.execPath, args, { env, timeout });
  const stored = storedSchema.parse(JSON.parse(stdout));
  if (stored.applications !== count)
    throw new Error(`${stored.applications} of ${count} Applications are stored.`);
  return stored;
}

const exportAndUpload = ({ folder, name, env }: BackupPlatform) =>
  execa(comparator('export-and-upload.sh'), [folder, name, `${Date.now()}.yaml.gz`], { env, timeout });

/** @returns bytes */
async function withoutStatus({ folder, env }: BackupPlatform): Promise<number> {
  const script = `gunzip --stdout backup.yaml.gz | ${comparator('without-status.sh')} | gzip | wc --bytes`;
  const { stdout } = await execa('bash', ['-o', 'pipefail', '-c', script], { cwd: folder, env, timeout });
  return Number(stdout);
}
