import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { createKubernetes } from '../../src/systems/kubernetes/api-client.ts';
import type { Kubernetes } from '../../src/systems/kubernetes/index.ts';

/** A cluster of a test's own, to build in and to lose: an API server and its etcd, no controllers and no nodes. */
export interface ControlPlane {
  kubeconfig: string;
  kubernetes: Kubernetes;
  /** Ends the API server at once, and starts it again on the same data. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  remove(): Promise<void>;
}

/** Longer than a busy machine needs. */
const startMs = 60_000;

export async function startControlPlane(): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  const [client, peers, port] = await freePorts(3);
  const address = `https://127.0.0.1:${port}`;
  const kubeconfig = writeSecrets(folder, address);
  const etcd = run('etcd', [
    ...['--name=test', `--data-dir=${join(folder, 'etcd')}`, '--log-level=error', '--unsafe-no-fsync'],
    ...[
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
    ],
    ...[
      `--listen-peer-urls=http://127.0.0.1:${peers}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peers}`,
    ],
    `--initial-cluster=test=http://127.0.0.1:${peers}`,
  ]);
  const kubernetes = createKubernetes(kubeconfig);
  let apiServer: ReturnType<typeof run> | undefined;

  async function startApiServer(): Promise<void> {
    apiServer = run('kube-apiserver', [
      ...[`--etcd-servers=http://127.0.0.1:${client}`, `--cert-dir=${folder}`],
      ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`],
      ...['--endpoint-reconciler-type=none', '--service-cluster-ip-range=10.90.0.0/16'],
      ...['--authorization-mode=RBAC', `--token-auth-file=${join(folder, 'tokens')}`],
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(folder, 'service-accounts.pub')}`,
      `--service-account-signing-key-file=${join(folder, 'service-accounts.key')}`,
    ]);
    for (const deadline = Date.now() + startMs; !(await isUp()); await sleep(100)) {
      if (Date.now() >= deadline) throw new Error(`The API server in ${folder} does not come up.`);
    }
  }
  /** It is ready once it has made its roles; its own namespaces it makes a moment later. */
  const isUp = (): Promise<boolean> =>
    kubernetes
      .text('/readyz')
      .then(() => kubernetes.get('/api/v1/namespaces/kube-system'))
      .then(
        (found) => found !== undefined,
        () => false,
      );
  async function stopApiServer(): Promise<void> {
    apiServer?.kill('SIGKILL');
    await apiServer;
  }
  async function remove(): Promise<void> {
    await stopApiServer();
    etcd.kill('SIGKILL');
    await etcd;
    await rm(folder, { recursive: true });
  }

  try {
    await startApiServer();
  } catch (error) {
    await remove();
    throw error;
  }
  return { kubeconfig, kubernetes, startApiServer, stopApiServer, remove };
}

/** Ends with the test at the latest. */
function run(program: string, args: string[]) {
  return execa(program, args, { reject: false, stdio: 'ignore', cleanup: true });
}

function writeSecrets(folder: string, server: string): string {
  const token = randomBytes(16).toString('hex');
  writeFileSync(join(folder, 'tokens'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(folder, 'service-accounts.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(folder, 'service-accounts.key'), key, { mode: 0o600 });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}
