import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { stringify } from 'yaml';
import { awsEnvironment } from '../scripts/stack/awscli.ts';
import { makeBucket } from '../test/support/bucket.ts';
import { pinned } from '../test/support/building-site.ts';
import { least } from '../test/support/configuration.ts';
import type { ControlPlane } from '../test/support/control-plane.ts';
import { namespace } from './argocd-state.ts';

/** Where both sides put their backups of a control plane. */
export interface BackupPlatform {
  /** Of the cluster in its backups, and of the bucket. */
  name: string;
  folder: string;
  /** Files. */
  config: string;
  kubeconfig: string;
  /** Of the processes that are measured: the configuration, and what `argocd`, `aws` and `gitops` look for. */
  env: Record<string, string>;
  remove(): Promise<void>;
}

export async function makeBackupPlatform({
  kubeconfig,
}: Pick<ControlPlane, 'kubeconfig'>): Promise<BackupPlatform> {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'bench-backup-'));
  const endpoint = process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333';
  const bucket = await makeBucket(name);
  const identity = await generateX25519Identity();
  const config = {
    ...least,
    platform: name,
    argocd: { namespace, install: pinned() },
    backup: {
      ...{ cluster: name, bucket: name, endpoint, recipients: [await identityToRecipient(identity)] },
      recovery: { identity: 'env:BENCH_IDENTITY' },
    },
  };
  const file = join(folder, 'gitops.yaml');
  await writeFile(file, stringify(config, { aliasDuplicateObjects: false }));
  return {
    name,
    folder,
    config: file,
    kubeconfig,
    env: {
      ...(await awsEnvironment()),
      KUBECONFIG: kubeconfig,
      GITOPS_CONFIG: file,
      BENCH_IDENTITY: identity,
    },
    async remove() {
      await bucket.remove();
      await rm(folder, { recursive: true });
    },
  };
}
