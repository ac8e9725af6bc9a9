// Argo CD in the cluster: the manifest exactly as published, and two settings beside it.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { make, pathOf } from './artifacts.ts';
import { tools } from './binaries.ts';
import { kubectl } from './control-plane.ts';
import { writeConfig } from './files.ts';
import { argocdManifest, checkout } from './paths.ts';
import { describePods } from './pods.ts';
import { failureOf, until } from './until.ts';

const namespace = 'argocd';
const settings = join(checkout, 'stack/argocd/settings.yaml');
const installed = 'gitops.local/installed';

export async function installArgocd(): Promise<void> {
  await make(tools.argocd);
  keepManifest();
  if (await isBeingRecreated()) return;
  const version = createHash('sha256')
    .update(readFileSync(argocdManifest))
    .update(readFileSync(settings))
    .digest('hex');
  const before = await installedVersion();
  if (before !== version) {
    const apply = ['apply', '--server-side', '--force-conflicts'];
    // Settings first, so that no pod starts without them.
    await kubectl([...apply, '--field-manager=gitops-stack', '-f', settings]);
    await kubectl([...apply, '-n', namespace, '-f', argocdManifest], { timeout: 120_000 });
    await untilServed('appprojects.argoproj.io');
    await kubectl([
      ...apply,
      '--field-manager=gitops-stack',
      '-f',
      join(checkout, 'stack/argocd/project.yaml'),
    ]);
    // Pods that ran before have the settings of before.
    if (before !== '') await kubectl(['rollout', 'restart', '-n', namespace, ...workloads]);
    await kubectl(['annotate', '--overwrite', 'namespace', namespace, `${installed}=${version}`]);
  }
  await ready();
}

/** Where gitops.yaml finds it, whatever the folder in the cache is called. */
function keepManifest(): void {
  mkdirSync(dirname(argocdManifest), { recursive: true });
  writeConfig(argocdManifest, readFileSync(join(pathOf(tools.argocd), 'core-install.yaml'), 'utf8'));
}

/** What was just defined is served a moment later. */
const untilServed = (resource: string): Promise<void> =>
  until({
    failing: `Kubernetes does not serve ${resource}, which was defined`,
    missing: () => failureOf(kubectl(['get', resource, '-n', namespace, '-o=name'])),
    seconds: 60,
  });

/** Then it is up to the recreation which part of Argo CD runs, and when: `make up` may start a worker that carries it on. */
async function isBeingRecreated(): Promise<boolean> {
  const marker = ['get', 'configmap', 'gitops-recreation', '-n', namespace, '--ignore-not-found', '-o=name'];
  return (await kubectl(marker)) !== '';
}

async function installedVersion(): Promise<string> {
  const path = `{.metadata.annotations.${installed.replaceAll('.', '\\.')}}`;
  return kubectl(['get', 'namespace', namespace, '--ignore-not-found', `-o=jsonpath=${path}`]);
}

const workloads = [
  ...['deployment/argocd-redis', 'deployment/argocd-repo-server'],
  ...['deployment/argocd-applicationset-controller', 'statefulset/argocd-application-controller'],
];

async function ready(): Promise<void> {
  const seconds = 300;
  const rollout = ['rollout', 'status', '-n', namespace, `--timeout=${seconds}s`];
  const late = await Promise.all(
    workloads.map((workload) =>
      kubectl([...rollout, workload], { timeout: (seconds + 10) * 1000 }).then(
        () => [],
        () => [workload],
      ),
    ),
  );
  if (late.flat().length === 0) return;
  const names = late.flat().join(', ');
  throw new Error(
    `Argo CD's ${names} not ready after ${seconds} s. Its pods:\n${await describePods(namespace)}`,
  );
}
