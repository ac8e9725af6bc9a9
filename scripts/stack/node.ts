// The one node: containerd and kubelet in namespaces of their own, kube-proxy on the host.
//
// A first process holds a PID and a mount namespace; everything of the node runs inside. When it ends, the
// kernel ends every container and mount with it, however the end came. What it cannot take along (cables,
// rules, control groups) is cleared by `clearNode`.
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { answersOk } from './answers.ts';
import { make } from './artifacts.ts';
import { toolPath, tools } from './binaries.ts';
import { askCluster } from './control-plane.ts';
import { writeConfig } from './files.ts';
import { mirrored, pauseImage } from './images.ts';
import { removeCables, removeServiceRules } from './network.ts';
import { bridge, ports, registry, services, state } from './paths.ts';
import { kubeconfig, nodeName, pki } from './pki.ts';
import { end, ensure, pidOf } from './processes.ts';
import { until } from './until.ts';

export const nodePorts = { kubelet: 10250, kubeletHealth: 10248, proxyHealth: 10256, proxyMetrics: 10249 };

/** Outside, the node's files; inside its mount namespace they are at a path short enough for sockets. */
const outside = join(state, 'node');
const inside = '/run/gitops';
const containerdSocket = `${inside}/containerd.sock`;
const controlGroup = 'gitops';

export async function startNode(): Promise<void> {
  for (const folder of ['config/cni', 'config/registries', 'kubelet', 'containerd', 'log']) {
    mkdirSync(join(outside, folder), { recursive: true });
  }
  writeContainerdConfig();
  writeCniConfig();
  writeKubeletConfig();
  await ensure({
    name: 'node',
    forks: true,
    prepare: async () => {
      await clearNode();
      makeControlGroups();
    },
    command: [
      'unshare',
      '--pid',
      '--mount',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-ec',
      enterNode,
      'node',
      outside,
    ],
    ready: async () => nodeRuns(),
  });
  await startContainerd();
  await make(tools.kubelet);
  await ensure({
    name: 'kubelet',
    forks: true,
    prepare: untilNodeRuns,
    get command() {
      return inNode(
        toolPath('kubelet'),
        ...[`--config=${inside}/config/kubelet.yaml`, `--kubeconfig=${kubeconfig('kubelet')}`],
        ...[`--root-dir=${inside}/kubelet`, `--hostname-override=${nodeName}`, `--node-ip=${bridge.gateway}`],
      );
    },
    ready: nodeIsReady,
  });
}

/**
 * Mounts stay inside; `/run` and `/var/log` are the node's own, so that nothing is left in the host's.
 * tini reaps what containers orphan.
 */
const enterNode = `
mount --make-rprivate /
mount --make-rshared /
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755 tmpfs /var/log
mkdir ${inside}
mount --rbind "$1" ${inside}
exec tini -- sleep infinity
`;

/** To be asked for anew at each start: the node may be another one by then. */
function inNode(...command: readonly string[]): [string, ...string[]] {
  return ['nsenter', '--target', String(pidOf('node')), '--mount', '--pid', '--', ...command];
}

/** It takes with it what runs inside: all of that is started again, and itself first. */
const untilNodeRuns = (): Promise<void> =>
  until({
    failing: 'The node, in which containerd and kubelet are to start, does not run',
    missing: async () => (nodeRuns() ? undefined : 'it is being started again'),
    seconds: 30,
  });

const nodeRuns = (): boolean => existsSync(`/proc/${pidOf('node') ?? 0}/root${inside}/kubelet`);

async function startContainerd(): Promise<void> {
  await ensure({
    name: 'containerd',
    forks: true,
    prepare: untilNodeRuns,
    get command() {
      return inNode('containerd', '--config', `${inside}/config/containerd.toml`);
    },
    ready: () => answersKubernetes(`/proc/${pidOf('node') ?? 0}/root${containerdSocket}`),
  });
}

/** To be started after the node: one that found no node goes by another address, and ends when the node appears. */
export async function startProxy(): Promise<void> {
  await make(tools['kube-proxy']);
  const file = join(state, 'node/config/kube-proxy.yaml');
  mkdirSync(join(outside, 'config'), { recursive: true });
  writeJson(file, {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: nodeName,
    clientConnection: { kubeconfig: kubeconfig('kube-proxy') },
    clusterCIDR: bridge.subnet,
    // Two pods on one bridge: without it the answer would not pass the host, and come from the wrong address.
    nftables: { masqueradeAll: true },
    // The host's connection tracking is not this stack's to tune.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    healthzBindAddress: `127.0.0.1:${nodePorts.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${nodePorts.proxyMetrics}`,
  });
  await ensure({
    name: 'kube-proxy',
    prepare: removeServiceRules,
    command: [toolPath('kube-proxy'), `--config=${file}`],
    ready: () => answersOk(`http://127.0.0.1:${nodePorts.proxyHealth}/livez`),
  });
}

/** End the node. What it stored stays: its containers are started again from what etcd says. */
export async function stopNode(): Promise<void> {
  await Promise.all([end('kubelet', 2_000), end('kube-proxy', 2_000)]);
  await end('node', 0);
  await end('containerd', 0);
  await clearNode();
  await removeServiceRules();
}

/** Forget images, containers and volumes. */
export function eraseNode(): void {
  rmSync(outside, { recursive: true, force: true });
}

/** Remove what a dead node of any checkout left on this machine. */
async function clearNode(): Promise<void> {
  await removeCables();
  for (const hierarchy of controlGroupHierarchies()) removeControlGroup(join(hierarchy, controlGroup));
}

/** Version 2 has one hierarchy, version 1 one for each controller. */
function controlGroupHierarchies(): string[] {
  const root = '/sys/fs/cgroup';
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  const controllers = [
    'cpu',
    'cpuacct',
    'cpuset',
    'memory',
    'devices',
    'freezer',
    'blkio',
    'pids',
    'hugetlb',
    'systemd',
  ];
  return controllers.map((name) => join(root, name)).filter(existsSync);
}

function makeControlGroups(): void {
  for (const hierarchy of controlGroupHierarchies()) {
    if (existsSync(join(hierarchy, 'cgroup.controllers'))) {
      for (const name of ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb'])
        allowController(hierarchy, name);
    }
    mkdirSync(join(hierarchy, controlGroup), { recursive: true });
  }
}

function allowController(hierarchy: string, name: string): void {
  try {
    writeFileSync(join(hierarchy, 'cgroup.subtree_control'), `+${name}`);
  } catch {
    // This kernel does not have it; kubelet names the ones it cannot do without.
  }
}

function removeControlGroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeControlGroup(join(path, entry.name));
  }
  try {
    rmdirSync(path);
  } catch {
    // Still occupied by a process that is ending; the next start tries again.
  }
}

interface NodeObject {
  status?: { conditions?: { type: string; status: string }[] };
}

/** What the cluster knows of the node may be of a kubelet that has died since. */
async function nodeIsReady(): Promise<boolean> {
  if (!(await answersOk(`http://127.0.0.1:${nodePorts.kubeletHealth}/healthz`))) return false;
  const { status } = JSON.parse((await askCluster(`/api/v1/nodes/${nodeName}`)) || '{}') as NodeObject;
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/**
 * Whether containerd answers Kubernetes. It takes connections before that part of it is there, and a kubelet that gets
 * no answer then ends.
 */
function answersKubernetes(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
    const tell = (answers: boolean) => {
      session.destroy();
      resolve(answers);
    };
    session.once('error', () => tell(false));
    const call = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.RuntimeService/Version',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.once('error', () => tell(false));
    call.once('trailers', (trailers) => tell(trailers['grpc-status'] === '0'));
    call.once('close', () => tell(false));
    call.resume();
    call.end(Buffer.alloc(5)); // gRPC's frame of a message without fields
  });
}

function writeContainerdConfig(): void {
  const config = `version = 2
root = "${inside}/containerd"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${inside}/config/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${inside}/config/registries"
`;
  writeConfig(join(outside, 'config/containerd.toml'), config);
  for (const host of [registry, ...mirrored]) {
    const directory = join(outside, 'config/registries', host);
    mkdirSync(directory, { recursive: true });
    const server = `http://127.0.0.1:${ports.registry}`;
    const hosts = `server = "${server}"\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`;
    writeConfig(join(directory, 'hosts.toml'), hosts);
  }
}

function writeCniConfig(): void {
  writeJson(join(outside, 'config/cni/10-gitops.conflist'), {
    cniVersion: '1.0.0',
    name: 'gitops',
    plugins: [
      {
        type: 'bridge',
        bridge: bridge.name,
        // The bridge has its address already; as gateway the plugin would turn on forwarding for the whole host.
        isGateway: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni',
          ranges: [[{ subnet: bridge.subnet, rangeStart: '10.87.1.0', gateway: bridge.gateway }]],
          routes: [{ dst: '0.0.0.0/0', gw: bridge.gateway }],
        },
      },
    ],
  });
}

function writeKubeletConfig(): void {
  writeConfig(join(outside, 'config/resolv.conf'), `nameserver ${services.dns}\n`);
  writeJson(join(outside, 'config/kubelet.yaml'), {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: bridge.gateway,
    port: nodePorts.kubelet,
    healthzPort: nodePorts.kubeletHealth,
    authentication: { x509: { clientCAFile: pki('ca.crt') }, anonymous: { enabled: false } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki('kubelet-server.crt'),
    tlsPrivateKeyFile: pki('kubelet-server.key'),
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${controlGroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDomain: 'cluster.local',
    clusterDNS: [services.dns],
    resolvConf: `${inside}/config/resolv.conf`,
    makeIPTablesUtilChains: false,
    serializeImagePulls: false,
    maxPods: 250,
    // A laptop's disk is often nearly full: only what would really stop the node counts as pressure.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
  });
}

/** JSON is YAML; the programs read either. */
function writeJson(file: string, value: unknown): void {
  writeConfig(file, `${JSON.stringify(value, null, 2)}\n`);
}
