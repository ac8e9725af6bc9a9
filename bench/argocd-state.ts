import { randomBytes } from 'node:crypto';
import { readInstallation } from '../src/systems/argocd/manifest.ts';
import { installStopped } from '../src/systems/argocd/install.ts';
import type { Kubernetes } from '../src/systems/kubernetes/index.ts';
import { ensureNamespace } from '../src/systems/kubernetes/namespaces.ts';
import { forEachConcurrently } from '../src/systems/concurrency/for-each-concurrently.ts';
import { pinned } from '../test/support/building-site.ts';

export const namespace = 'argocd';

/** Argo CD as it was published, of which nothing runs: neither side of a bench needs more. */
export async function install(kubernetes: Kubernetes): Promise<void> {
  const installation = await readInstallation(pinned());
  await ensureNamespace(kubernetes, namespace);
  const place = { kubernetes, namespace, signal: new AbortController().signal, guard: async () => undefined };
  await installStopped(place, installation, () => undefined);
}

/** Of the repository that all of them are in: a commit often changes more than one of them. */
const commits = Array.from({ length: 2000 }, () => randomBytes(20).toString('hex'));

/** Applications as they look after some months: five objects, a status, ten syncs remembered. */
export async function fill(kubernetes: Kubernetes, from: number, to: number): Promise<void> {
  await forEachConcurrently(20, numbers(from, to), async (number) => {
    await kubernetes.post(applications, application(number));
  });
}

export const applications = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;

async function* numbers(from: number, to: number): AsyncGenerator<number> {
  for (let number = from; number < to; number += 1) yield number;
}

function application(number: number): object {
  const name = `service-${String(number).padStart(5, '0')}`;
  const source = {
    repoURL: 'https://forge.example.com/team/platform.git',
    path: `infrastructure/kubernetes/services/${name}/overlays/production`,
    targetRevision: 'main',
  };
  const destination = { server: 'https://kubernetes.default.svc', namespace: `team-${number % 40}` };
  const history = Array.from({ length: 10 }, (_, id) => ({
    id,
    revision: commits[(number * 7 + id * 199) % commits.length],
    deployedAt: new Date(Date.UTC(2026, 0, 1 + id, 3, number % 60)).toISOString().replace('.000', ''),
    deployStartedAt: new Date(Date.UTC(2026, 0, 1 + id, 2, number % 60)).toISOString().replace('.000', ''),
    initiatedBy: { automated: true },
    source,
  }));
  const revision = history.at(-1)?.revision;
  const resources = ['ConfigMap', 'Secret', 'Service', 'Deployment', 'Ingress'].map((kind) => ({
    kind,
    name,
    namespace: destination.namespace,
    version: 'v1',
    status: 'Synced',
    health: { status: 'Healthy' },
    ...(kind === 'Deployment' && { group: 'apps' }),
    ...(kind === 'Ingress' && { group: 'networking.k8s.io' }),
  }));
  const at = '2026-01-10T03:00:00Z';
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      labels: { team: `team-${number % 40}`, environment: 'production' },
      annotations: { 'argocd.argoproj.io/sync-wave': `${number % 5}` },
      finalizers: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec: {
      project: 'default',
      source,
      destination,
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
    status: {
      controllerNamespace: namespace,
      health: { status: 'Healthy', lastTransitionTime: at },
      history,
      operationState: {
        operation: { sync: { revision }, initiatedBy: { automated: true }, retry: {} },
        phase: 'Succeeded',
        message: 'successfully synced (all tasks run)',
        startedAt: at,
        finishedAt: at,
        syncResult: {
          revision,
          source,
          resources: resources.map(({ kind, group = '', ...rest }) => ({
            ...{ kind, group, name: rest.name, namespace: rest.namespace, version: 'v1' },
            ...{ status: 'Synced', hookPhase: 'Running', syncPhase: 'Sync' },
            message: `${kind.toLowerCase()}/${name} configured`,
          })),
        },
      },
      reconciledAt: at,
      resources,
      sourceType: 'Kustomize',
      summary: { images: [`registry.example.com/team/${name}:${revision}`] },
      sync: { comparedTo: { source, destination }, revision, status: 'Synced' },
    },
  };
}
