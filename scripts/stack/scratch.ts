// A second, empty control plane, for drills: an API server and its etcd, of the cluster's own programs. No controller and
// no node belong to it, so what is created there is kept and nothing is done about it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureApiServer, ensureEtcd } from './control-plane.ts';
import { ports, scratchDirectory } from './paths.ts';
import { scratchApiServerUrl } from './pki.ts';
import { end } from './processes.ts';

const etcdPorts = { client: 12389, peers: 12390 };

/** Most of the time it waits: memory is returned early, at the price of a little more work in a drill. */
const env = { GOGC: '40' };

export async function startScratch(): Promise<void> {
  mkdirSync(scratchDirectory, { recursive: true });
  await ensureEtcd({ name: 'scratch-etcd', directory: join(scratchDirectory, 'etcd'), ...etcdPorts, env });
  await ensureApiServer({
    name: 'scratch-kube-apiserver',
    etcd: etcdPorts.client,
    url: scratchApiServerUrl,
    flags: [
      ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1'],
      // No pod looks for it, and Kubernetes takes no address of the loopback for the service `kubernetes`.
      '--endpoint-reconciler-type=none',
      `--secure-port=${ports.scratchApiServer}`,
      '--service-cluster-ip-range=10.89.0.0/16',
      '--authorization-mode=RBAC',
    ],
    env,
  });
}

/** etcd last, as for the cluster. */
export async function stopScratch(): Promise<void> {
  await end('scratch-kube-apiserver');
  await end('scratch-etcd');
}
