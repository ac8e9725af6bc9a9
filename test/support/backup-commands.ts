import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, vi } from 'vitest';
import { plainSecret, type BackupPlatform } from './backups.ts';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const bin = `${checkout}bin/gitops.js`;

type Given = Pick<BackupPlatform, 'env' | 'identity'>;

/** A backup, as commands show it. */
export interface Point {
  key: string;
  state: string;
}

/** Runs `gitops`. */
export async function run({ env, identity }: Given, args: string[]) {
  const options = { env, reject: false, timeout: 90_000, stdin: 'ignore' } as const;
  const { stdout, stderr, exitCode } = await execa(process.execPath, [bin, ...args], options);
  expect(stdout + stderr).not.toContain(identity);
  return { stdout, stderr, exitCode };
}

/** @throws Error when it does not end with 0 */
export async function runJson<T>(platform: Given, args: string[]): Promise<T> {
  const { stdout, stderr, exitCode } = await run(platform, [...args, '--json']);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Starts a worker of all queues that backups need. */
export function launchWorker({ env, identity }: Given, more: Record<string, string> = {}) {
  const options = {
    env: { ...env, ...more },
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    buffer: false,
  } as const;
  const child = execa(process.execPath, [bin, 'worker', '--queues', 'delivery,production,recovery'], options);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  return {
    ready: () => vi.waitFor(() => expect(said).toContain('ready:'), { timeout: 30_000 }),
    /** However it ends. */
    ended: child.then(() => undefined),
    async end() {
      child.kill('SIGTERM');
      await child;
      expect(said).not.toContain(plainSecret);
      expect(said).not.toContain(identity);
    },
  };
}

/** @returns once it takes work */
export async function startWorker(platform: Given) {
  const worker = launchWorker(platform);
  await worker.ready();
  return worker;
}
