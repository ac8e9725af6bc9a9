// Everything that must hold before anything is changed, each with one sentence on what to do.
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { cache, checkout, ports } from './paths.ts';
import { nodePorts } from './node.ts';
import { stackProcesses } from './processes.ts';
import { succeeds } from './run.ts';
import { s3InnerPorts } from './s3.ts';

/** A package and one of its programs or files a line; also read before there is a Node (scripts/prerequisites.sh). */
const packages = join(checkout, 'stack/debian-packages');

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
  await demandPackages();
  for (const port of wantedPorts()) {
    if (!(await isFree(port))) {
      throw new Error(
        `Port ${port} is taken by another program. End it (ss -ltnp 'sport = :${port}' names it), then try again.`,
      );
    }
  }
}

async function demandPackages(): Promise<void> {
  const missing: string[] = [];
  const lines = readFileSync(packages, 'utf8').split('\n');
  for (const line of lines.filter((line) => /^\w/.test(line))) {
    const [name = '', file = ''] = line.split(/\s+/);
    const isThere = isAbsolute(file)
      ? existsSync(file)
      : await succeeds('sh', ['-c', `PATH="$PATH:/usr/sbin:/sbin" command -v ${file}`]);
    if (!isThere) missing.push(name);
  }
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
