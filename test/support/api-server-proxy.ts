import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { vi } from 'vitest';
import { stringify } from 'yaml';
import { httpProxy, type Answer, type Asked } from './http-proxy.ts';

type Serve = (asked: Asked, pass: (asked: Asked) => Promise<Answer>) => Promise<Answer | undefined>;

/** Stands in front of the stack's API server and does what a test wants; passes on until it is told otherwise. */
export async function apiServerProxy() {
  const child = execa('kubectl', ['proxy', '--port=0'], { reject: false, stdin: 'ignore' });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const address = await vi.waitFor(
    () => {
      const [, found] = /serve on (\S+)/.exec(said) ?? [];
      if (found === undefined) throw new Error(`kubectl proxy says: ${said}`);
      return found;
    },
    { timeout: 30_000 },
  );
  const proxy = { serve: ((asked, pass) => pass(asked)) as Serve };
  const { endpoint, close } = await httpProxy(new URL(`http://${address}`), (asked, pass) =>
    proxy.serve(asked, pass),
  );
  const folder = mkdtempSync(join(tmpdir(), 'gitops-kubeconfig-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'proxy',
      clusters: [{ name: 'proxy', cluster: { server: endpoint, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'proxy' }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    }),
  );
  return Object.assign(proxy, {
    kubeconfig,
    async close() {
      close();
      child.kill('SIGTERM');
      await child;
      await rm(folder, { recursive: true });
    },
  });
}
