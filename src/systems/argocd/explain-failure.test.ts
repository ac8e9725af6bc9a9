import { beforeEach, expect, test } from 'vitest';
import type { Kubernetes } from '../kubernetes/index.ts';
import { explain } from './explain-failure.ts';

/** What each path answers. */
let cluster: Map<string, object>;
let kept: Map<string, string>;

beforeEach(() => {
  kept = new Map();
  cluster = new Map();
});

const kubernetes = {
  get: async (path: string) => cluster.get(path),
  text: async (path: string) =>
    path.endsWith('/secrets') ? '{"metadata": {}, "items": []}' : 'patient 4711 from the log',
} as Partial<Kubernetes> as Kubernetes;

const said = () =>
  explain({ kubernetes, namespace: 'argocd' }, 'app', async (container, text) => {
    kept.set(container, text);
    return `logs/${container}`;
  });

const inCluster = { destination: { name: 'in-cluster' } };
const pods = '/api/v1/namespaces/dev/pods';
const pod = (more: object) => ({
  metadata: { name: 'claims-1', creationTimestamp: '2026-01-01T00:00:00Z' },
  status: { phase: 'Running', containerStatuses: [{ name: 'app', ready: false, restartCount: 3, ...more }] },
});
const troubled = (kind: string, name: string, health: object) =>
  cluster.set('app', {
    spec: inCluster,
    status: { resources: [{ kind, namespace: 'dev', name, status: 'Synced', health }] },
  });

test('what a container wrote is kept apart: the explanation names container, reason and key', async () => {
  troubled('Deployment', 'claims', { status: 'Degraded', message: 'exceeded its progress deadline' });
  cluster.set('/apis/apps/v1/namespaces/dev/deployments/claims', {
    spec: { selector: { matchLabels: { app: 'claims' } } },
  });
  cluster.set(pods, {
    items: [pod({ lastState: { terminated: { exitCode: 7, reason: 'Error', message: 'patient 4711' } } })],
  });
  expect(await said()).toBe(
    [
      'Deployment/claims in dev: Degraded: exceeded its progress deadline',
      'Pod claims-1: Running',
      '  container app: not ready, exit code 7 (Error), 3 restarts',
      '  its log: logs/claims-1-app',
    ].join('\n'),
  );
  expect([...kept]).toEqual([['claims-1-app', 'patient 4711 from the log']]);
});

const crash = (ready: boolean, finishedAt: string) =>
  pod({ ready, lastState: { terminated: { exitCode: 7, reason: 'Error', finishedAt } } });

test('a pod that crashes again and again is told also in a moment in which it runs and all is Healthy', async () => {
  troubled('Pod', 'claims-1', { status: 'Healthy' });
  cluster.set(`${pods}/claims-1`, crash(true, new Date(Date.now() - 60_000).toISOString()));
  expect(await said()).toBe(
    [
      'Pod claims-1: Running',
      '  container app: runs again, exit code 7 (Error), 3 restarts',
      '  its log: logs/claims-1-app',
    ].join('\n'),
  );
});

test('a restart of long ago says nothing of a pod that runs', async () => {
  troubled('Pod', 'claims-1', { status: 'Healthy' });
  cluster.set(`${pods}/claims-1`, crash(true, '2026-01-01T00:00:00Z'));
  expect(await said()).toBe('');
});

test.each(['Unhealthy', 'FailedPostStartHook'])(
  'so is what a probe or a hook said, which the warning %s quotes',
  async (reason) => {
    troubled('Pod', 'claims-1', { status: 'Progressing' });
    cluster.set(`${pods}/claims-1`, pod({}));
    cluster.set('/api/v1/namespaces/dev/events', {
      items: [{ reason, message: 'probe failed: patient 4711' }],
    });
    expect(await said()).toMatch(new RegExp(`last warning: ${reason}: what it said: logs/claims-1-warning$`));
    expect(kept.get('claims-1-warning')).toContain('4711');
  },
);

test('what Kubernetes itself says of a pod is told', async () => {
  troubled('Pod', 'claims-1', { status: 'Progressing' });
  cluster.set(`${pods}/claims-1`, pod({ state: { waiting: { reason: 'ImagePullBackOff' } } }));
  const message = 'secret "database" not found';
  cluster.set('/api/v1/namespaces/dev/events', { items: [{ reason: 'FailedMount', message }] });
  expect(await said()).toMatch(/ImagePullBackOff[^]*last warning: FailedMount: secret "database" not found/);
});

test('the termination message of a pod, which Argo CD repeats as its health, is kept apart', async () => {
  troubled('Pod', 'migrate', { status: 'Degraded', message: 'patient 4711 cannot be migrated' });
  expect(await said()).toBe('Pod/migrate in dev: Degraded: what it said: logs/migrate');
  expect(kept.get('migrate')).toContain('4711');
});

const autoscaled = (destination: object, more: object = {}) => {
  const resource = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'dev', name: 'claims' };
  cluster.set('app', {
    spec: { destination },
    status: {
      resources: [{ ...resource, status: 'OutOfSync', health: { status: 'Healthy' }, ...more }],
      operationState: { phase: 'Succeeded' },
    },
  });
  cluster.set('/apis/apps/v1', {
    resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }],
  });
  const was = JSON.stringify({ kind: 'Deployment', spec: { replicas: 2 } });
  cluster.set('/apis/apps/v1/namespaces/dev/deployments/claims', {
    metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': was } },
    spec: { replicas: 3, selector: { matchLabels: { app: 'claims' } } },
  });
  cluster.set(pods, { items: [] });
};

test('what is out of sync after a sync that succeeded is told by object and field, with what to change', async () => {
  autoscaled({ name: 'in-cluster' });
  expect(await said()).toMatch(
    /^Deployment\/claims in dev: OutOfSync: spec.replicas is 3, and 2 was applied\n.*ignoreDifferences, with RespectIgnoreDifferences=true/,
  );
  autoscaled({ name: 'in-cluster' }, { requiresPruning: true });
  expect(await said()).toMatch(/^Deployment\/claims in dev: OutOfSync: it is not in the manifests any more/);
});

test('an Application of a cluster that cannot be looked into is not looked for in this one, and that is said', async () => {
  autoscaled({ name: 'eu' });
  expect(await said()).toBe(
    'Deployment/claims in dev: OutOfSync\nCluster eu cannot be looked into from here: Argo CD has no Secret for it in argocd. Look there for its pods and their logs.',
  );
});
