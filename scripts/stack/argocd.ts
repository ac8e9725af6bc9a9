// Argo CD in the cluster: the manifest exactly as published, and two settings beside it.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { make, pathOf } from './artifacts.ts';
import { tools } from './binaries.ts';
import { kubectl } from './control-plane.ts';
import { writeConfig } from './files.ts';
import { argocdManifest, checkout } from './paths.ts';

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
  if ((await installedVersion()) !== version) {
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
async function untilServed(resource: string): Promise<void> {
  const look = () =>
    kubectl(['get', resource, '-n', namespace, '-o=name']).then(
      () => true,
      () => false,
    );
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
    if (await look()) return;
  }
  throw new Error(`Kubernetes does not serve ${resource} 20 s after it was defined.`);
}

/** Then it is up to the recreation which part of Argo CD runs, and when: `make up` may start a worker that carries it on. */
async function isBeingRecreated(): Promise<boolean> {
  const marker = ['get', 'configmap', 'gitops-recreation', '-n', namespace, '--ignore-not-found', '-o=name'];
  return (await kubectl(marker)) !== '';
}

async function installedVersion(): Promise<string> {
  const path = `{.metadata.annotations.${installed.replaceAll('.', '\\.')}}`;
  return kubectl(['get', 'namespace', namespace, '--ignore-not-found', `-o=jsonpath=${path}`]);
}

async function ready(): Promise<void> {
  const rollout = ['rollout', 'status', '-n', namespace, '--timeout=170s'];
  const workloads = ['deployment/argocd-redis', 'deployment/argocd-repo-server'];
  workloads.push('deployment/argocd-applicationset-controller', 'statefulset/argocd-application-controller');
  await Promise.all(workloads.map((workload) => kubectl([...rollout, workload], { timeout: 180_000 })));
}
