import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const gitops = fileURLToPath(new URL('../bin/gitops.js', import.meta.url));

/** `gitops worker` as a process, started as people start it; answers when it takes work. */
export async function startWorker(env: Record<string, string>): Promise<{ end(): Promise<void> }> {
  const worker = execa(gitops, ['worker'], {
    env,
    stdin: 'ignore',
    stdout: 'ignore',
    buffer: false,
    reject: false,
  });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    worker.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('ready:')) resolve();
    });
    void worker.then(() => reject(new Error(`The worker ended before it was ready: ${said}`)));
  });
  return {
    async end() {
      worker.kill('SIGTERM');
      await worker;
    },
  };
}
