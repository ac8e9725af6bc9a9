// Kubernetes' control plane as processes of the host: etcd, API server, controllers, scheduler, DNS.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf, answersOk, unverified } from './answers.ts';
import { make } from './artifacts.ts';
import { toolPath, tools } from './binaries.ts';
import { writeConfig } from './files.ts';
import { bridge, kubeconfigFile, ports, services, state } from './paths.ts';
import { administrator, apiServerUrl, kubeconfig, pki } from './pki.ts';
import { ensure, failure } from './processes.ts';
import { run } from './run.ts';
import type { RunOptions } from './run.ts';
import { messageOf } from './until.ts';

/** Inner ports, all on the host's loopback or the bridge. */
const controlPlanePorts = {
  etcd: 12379,
  etcdPeers: 12380,
  controllers: 10257,
  scheduler: 10259,
  dns: 53,
  dnsReady: 18181,
};
export const etcdDirectory = join(state, 'etcd');

/** kubectl as the cluster's administrator. Every call ends: a dead API server must not hang the stack. */
export async function kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const call = [`--kubeconfig=${kubeconfigFile}`, '--request-timeout=20s', ...args];
  await make(tools.kubectl);
  try {
    return await run(toolPath('kubectl'), call, { timeout: 30_000, ...options });
  } catch (error) {
    if (await isReady(apiServerUrl)) throw error;
    throw failure('kube-apiserver', `is not ready to answer: ${messageOf(error)}`);
  }
}

/** Anybody may ask for its health. A kubectl for it would cost as much as what it waits for. */
const isReady = async (server: string): Promise<boolean> =>
  (await answerOf(`${server}/readyz`, unverified)) === 'ok';

/** What the API server tells its administrator; empty when it is not well. */
export const askCluster = (path: string): Promise<string> =>
  answerOf(`${apiServerUrl}${path}`, administrator());

export const startEtcd = (): Promise<void> =>
  ensureEtcd({
    name: 'etcd',
    directory: etcdDirectory,
    client: controlPlanePorts.etcd,
    peers: controlPlanePorts.etcdPeers,
  });

export async function startApiServer(): Promise<void> {
  await ensureApiServer({
    name: 'kube-apiserver',
    etcd: controlPlanePorts.etcd,
    url: apiServerUrl,
    flags: [
      ...[`--bind-address=${bridge.gateway}`, `--advertise-address=${bridge.gateway}`],
      ...[`--secure-port=${ports.apiServer}`, `--service-cluster-ip-range=${services.subnet}`],
      ...[
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
      ],
      `--kubelet-certificate-authority=${pki('ca.crt')}`,
      `--kubelet-client-certificate=${pki('kube-apiserver-to-kubelet.crt')}`,
      `--kubelet-client-key=${pki('kube-apiserver-to-kubelet.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
    ],
  });
}

interface Etcd {
  name: string;
  directory: string;
  /** Ports on the host's loopback. */
  client: number;
  peers: number;
  env?: Record<string, string>;
}

export async function ensureEtcd(etcd: Etcd): Promise<void> {
  await make(tools.etcd);
  const client = `http://127.0.0.1:${etcd.client}`;
  const peers = `http://127.0.0.1:${etcd.peers}`;
  await ensure({
    name: etcd.name,
    command: [
      toolPath('etcd'),
      ...['--name=gitops', `--data-dir=${etcd.directory}`, '--log-level=warn'],
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[
        `--listen-peer-urls=${peers}`,
        `--initial-advertise-peer-urls=${peers}`,
        `--initial-cluster=gitops=${peers}`,
      ],
      // Survives the death of any process, not of the machine's power: three times the speed on a laptop's disk.
      '--unsafe-no-fsync',
    ],
    env: etcd.env,
    ready: () => answersOk(`${client}/readyz`),
  });
}

interface ApiServer {
  name: string;
  /** The client port of its etcd. */
  etcd: number;
  url: string;
  flags: readonly string[];
  env?: Record<string, string>;
}

export async function ensureApiServer(server: ApiServer): Promise<void> {
  await make(tools['kube-apiserver']);
  await ensure({
    name: server.name,
    command: [
      toolPath('kube-apiserver'),
      `--etcd-servers=http://127.0.0.1:${server.etcd}`,
      ...server.flags,
      ...[
        `--tls-cert-file=${pki('kube-apiserver.crt')}`,
        `--tls-private-key-file=${pki('kube-apiserver.key')}`,
      ],
      `--client-ca-file=${pki('ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki('service-accounts.pub')}`,
      `--service-account-signing-key-file=${pki('service-accounts.key')}`,
    ],
    env: server.env,
    ready: () => isReady(server.url),
  });
}

export async function startControllers(): Promise<void> {
  await make(tools['kube-controller-manager']);
  await ensure({
    name: 'kube-controller-manager',
    command: [
      toolPath('kube-controller-manager'),
      ...[`--kubeconfig=${kubeconfig('kube-controller-manager')}`, '--bind-address=127.0.0.1'],
      ...['--leader-elect=false', '--use-service-account-credentials=true'],
      ...[
        `--root-ca-file=${pki('ca.crt')}`,
        `--service-account-private-key-file=${pki('service-accounts.key')}`,
      ],
    ],
    // It is well before it has any controllers, and ends for good when the API server goes away just then.
    ready: async () =>
      /-controller ok/.test(
        await answerOf(`https://127.0.0.1:${controlPlanePorts.controllers}/healthz?verbose`, unverified),
      ),
  });
}

export async function startScheduler(): Promise<void> {
  await make(tools['kube-scheduler']);
  await ensure({
    name: 'kube-scheduler',
    command: [
      toolPath('kube-scheduler'),
      ...[`--kubeconfig=${kubeconfig('kube-scheduler')}`, '--bind-address=127.0.0.1', '--leader-elect=false'],
    ],
    ready: async () =>
      (await answerOf(`https://127.0.0.1:${controlPlanePorts.scheduler}/healthz`, unverified)) === 'ok',
  });
}

/** The cluster's DNS, bound to the bridge: pods reach it without a pod of its own. */
export async function startDns(): Promise<void> {
  await make(tools.coredns);
  const corefile = join(state, 'coredns/Corefile');
  mkdirSync(join(state, 'coredns'), { recursive: true });
  writeConfig(
    corefile,
    `. {
  bind ${bridge.gateway}
  errors
  ready ${readyAddress}
  cache 10
  loadbalance
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig('coredns')}
  }
  forward . /etc/resolv.conf
}
`,
  );
  await ensure({
    name: 'coredns',
    command: [toolPath('coredns'), '-conf', corefile],
    ready: () => answersOk(`http://${readyAddress}/ready`),
  });
}

const readyAddress = `127.0.0.1:${controlPlanePorts.dnsReady}`;
