import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { expect, vi } from 'vitest';
import type { Rig } from './workflow-rig.ts';

export const bin = fileURLToPath(new URL('../../bin/gitops.js', import.meta.url));

/** Where a command works. */
type Place = Pick<Rig, 'platform' | 'temporal'>;

/** A command takes a second; one that takes this long hangs. */
const commandTimeout = 30_000;

/** The configuration of a rig's platform; its systems other than Temporal are nowhere. */
function configFileOf({ platform }: Place): string {
  const nowhere = 'http://127.0.0.1:9';
  const file = join(mkdtempSync(join(tmpdir(), 'gitops-cli-')), 'gitops.yaml');
  const config = {
    platform,
    repository: { url: `${nowhere}/team/platform.git` },
    forge: { kind: 'gitea', url: nowhere, token: 'env:FORGE_TOKEN' },
    registry: { image: 'registry.example/team/{service}' },
    objects: { endpoint: nowhere, bucket: 'state' },
    backup: {
      cluster: 'live',
      bucket: 'backups',
      endpoint: nowhere,
      recipients: ['env:BACKUP_RECIPIENT'],
      recovery: { identity: 'env:BACKUP_IDENTITY' },
    },
    manifests: 'manifests/{service}',
    services: { discover: ['services/*'] },
    environments: [
      { name: 'dev', entersBy: 'push' },
      { name: 'staging', approval: 'review' },
      { name: 'production', approval: { quorum: 2 }, sync: 'manual' },
    ],
    identity: 'trusted-namespace',
    people: { 'board-1': {}, 'board-2': {} },
  };
  writeFileSync(file, stringify(config));
  return file;
}

/** The `gitops` command as a shell would run it, on a rig's platform. */
export const commandOf =
  (rig: Place, env: Record<string, string> = {}) =>
  (...args: string[]) =>
    startCommand(rig, args, env).result();

/** What a shell has in which it runs. */
export const environmentOf = (rig: Place): Record<string, string> => ({
  TEMPORAL_ADDRESS: rig.temporal.address,
  GITOPS_CONFIG: configFileOf(rig),
  GITOPS_WORK_DIRECTORY: mkdtempSync(join(tmpdir(), 'gitops-work-')),
  FORGE_TOKEN: 'none',
  BACKUP_RECIPIENT: 'none',
  BACKUP_IDENTITY: 'none',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  NO_COLOR: '1',
});

/** The same, while it runs; a worker may have longer for it. */
export function startCommand(
  rig: Place,
  args: string[],
  env: Record<string, string> = {},
  timeout = commandTimeout,
  program = bin,
) {
  const child = execa(process.execPath, [program, ...args], {
    env: { ...environmentOf(rig), ...env },
    reject: false,
    timeout,
    stdin: 'ignore',
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  async function result() {
    const { stdout, stderr, exitCode } = await child;
    return { stdout, stderr, exitCode };
  }

  return {
    pid: child.pid,
    result,
    /** Ctrl-C. */
    interrupt() {
      child.kill('SIGINT');
      return result();
    },
    /** Waits until it has written this on stderr. */
    says: (text: string) => vi.waitFor(() => expect(said).toContain(text), { timeout, interval: 50 }),
    /** As a power cut would. */
    kill() {
      child.kill('SIGKILL');
      return child;
    },
    /** @returns the exit code, or the signal */
    async end() {
      child.kill('SIGTERM');
      const { exitCode, signal } = await child;
      return exitCode ?? signal;
    },
  };
}
