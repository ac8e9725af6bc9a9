// Everything that must hold before anything is changed, each with one sentence on what to do.
import { mkdirSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { cache, checkout, ports } from './paths.ts';
import { nodePorts } from './node.ts';
import { stackProcesses } from './processes.ts';
import { succeeds } from './run.ts';
import { s3InnerPorts } from './s3.ts';

/** Debian's packages that the stack uses, by a program of each. */
const packages: Record<string, string> = {
  containerd: 'containerd',
  runc: 'runc',
  buildah: 'buildah',
  'docker-registry': 'docker-registry',
  mmdebstrap: 'mmdebstrap',
  tini: 'tini',
  nft: 'nftables',
  ip: 'iproute2',
  openssl: 'openssl',
  git: 'git',
  setpriv: 'util-linux',
  gcc: 'gcc',
};

/** The first build needs about this much; a filled cache leaves room enough by itself. */
const neededBytes = 12 * 2 ** 30;

/** @throws Error whose message is one sentence that says what to do */
export async function preflight(isBuilt: boolean): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('The local stack starts containers, so it needs Linux and root: run make with sudo.');
  }
  mkdirSync(cache, { recursive: true });
  if (!isBuilt) {
    for (const directory of [cache, checkout]) {
      const { bavail, bsize } = statfsSync(directory);
      if (bavail * bsize < neededBytes) {
        throw new Error(
          `${directory} has ${Math.floor((bavail * bsize) / 2 ** 30)} GB free; 12 GB are needed to build the stack.`,
        );
      }
    }
  }
  await installPackages();
  for (const port of wantedPorts()) {
    if (!(await isFree(port))) {
      throw new Error(
        `Port ${port} is taken by another program. End it (ss -ltnp 'sport = :${port}' names it), then try again.`,
      );
    }
  }
}

async function installPackages(): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(packages)) {
    if (!(await succeeds('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`])))
      missing.push(name);
  }
  if (!(await succeeds('test', ['-x', '/usr/lib/cni/bridge']))) missing.push('containernetworking-plugins');
  if (missing.length === 0) return;
  throw new Error(`Debian packages are missing: run apt-get install ${missing.join(' ')}`);
}

/** Only those of processes that do not run yet: ours hold their own. */
function wantedPorts(): number[] {
  const running = new Set(stackProcesses().map(({ name }) => name));
  const wanted: Record<string, number[]> = {
    temporal: [ports.temporal, ports.temporalUi],
    'kube-apiserver': [ports.apiServer],
    'scratch-kube-apiserver': [ports.scratchApiServer],
    gitea: [ports.forge],
    registry: [ports.registry],
    s3: Object.values(s3InnerPorts),
    server: [ports.server],
    kubelet: [nodePorts.kubelet],
  };
  return Object.entries(wanted).flatMap(([name, list]) => (running.has(name) ? [] : list));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)));
  });
}
