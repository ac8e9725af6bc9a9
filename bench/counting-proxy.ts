import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { stringify } from 'yaml';

/** Stands before the API server, and counts what goes through. */
export interface CountingProxy {
  kubeconfig: string;
  /** Since the last call. */
  take(): number;
  close(): void;
}

export async function openCountingProxy(folder: string): Promise<CountingProxy> {
  const real = new KubeConfig();
  real.loadFromDefault();
  const server = new URL(real.getCurrentCluster()?.server ?? '');
  let count = 0;

  const proxy = createServer((incoming, answer) => {
    count += 1;
    const { method = 'GET', url = '/', headers } = incoming;
    const options: RequestOptions = { method, path: url, headers: { ...headers, host: server.host } };
    void real.applyToHTTPSOptions(options).then(() => {
      const outgoing = request(server, options, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      outgoing.on('error', (error) => answer.destroy(error));
      answer.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('No port is free.');

  const kubeconfig = join(folder, 'counted.kubeconfig');
  const cluster = { server: `http://127.0.0.1:${address.port}`, 'insecure-skip-tls-verify': true };
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'counted', cluster }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'counted', context: { cluster: 'counted', user: 'nobody' } }],
      'current-context': 'counted',
    }),
  );
  return {
    kubeconfig,
    take() {
      const taken = count;
      count = 0;
      return taken;
    },
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
