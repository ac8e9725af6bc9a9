import { expect, test } from 'vitest';
import type { Kubernetes } from '../kubernetes/index.ts';
import { Resources } from '../kubernetes/resources.ts';
import { troubledResources } from './resource-health.ts';

const kinds: Record<string, { version: string; plural: string }> = {
  Deployment: { version: 'apps/v1', plural: 'deployments' },
  Job: { version: 'batch/v1', plural: 'jobs' },
  CronJob: { version: 'batch/v1', plural: 'cronjobs' },
  HorizontalPodAutoscaler: { version: 'autoscaling/v2', plural: 'horizontalpodautoscalers' },
  Rollout: { version: 'argoproj.io/v1alpha1', plural: 'rollouts' },
  ScaledObject: { version: 'keda.sh/v1alpha1', plural: 'scaledobjects' },
  Certificate: { version: 'cert-manager.io/v1', plural: 'certificates' },
};

/** A cluster with one object, which an Application is made of. */
async function look(
  kind: string,
  object: object | 'unreadable',
  destination: object = { name: 'in-cluster' },
) {
  const { version = '', plural = '' } = kinds[kind] ?? {};
  const [group, short] = version.split('/');
  const answers: Record<string, unknown> = {
    app: {
      spec: { destination },
      status: {
        resources: [{ group, version: short, kind, namespace: 'dev', name: 'orders', status: 'Synced' }],
      },
    },
    [`/apis/${version}`]: { resources: [{ name: plural, kind, namespaced: true }] },
    [`/apis/${version}/namespaces/dev/${plural}/orders`]: object,
  };
  const kubernetes = {
    async get(path: string) {
      if (answers[path] === 'unreadable') throw new Error('403');
      return answers[path];
    },
    text: async () => '{"metadata": {}, "items": []}',
  } as Partial<Kubernetes> as Kubernetes;
  const home = { kubernetes, namespace: 'argocd' };
  const found = await troubledResources(home, new Resources(kubernetes), 'app');
  return found.map(({ kind: name, health }) =>
    [name, health?.status, health?.message].filter(Boolean).join(' '),
  );
}

const conditions = (...all: object[]) => ({ status: { conditions: all } });
const noMetrics = conditions(
  { type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale' },
  { type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric', message: 'no metrics' },
);

test.each([
  ['HorizontalPodAutoscaler', noMetrics, ['HorizontalPodAutoscaler Degraded no metrics']],
  [
    'HorizontalPodAutoscaler',
    conditions({ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' }),
    [],
  ],
  [
    'ScaledObject',
    conditions({ type: 'Ready', status: 'False', message: 'no trigger' }),
    ['ScaledObject Degraded no trigger'],
  ],
  [
    'Deployment',
    conditions({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' }),
    ['Deployment Degraded late'],
  ],
  ['Deployment', { spec: { paused: true } }, ['Deployment Suspended']],
  ['Job', { spec: { suspend: true } }, ['Job Suspended']],
  ['Job', conditions({ type: 'Failed', status: 'True', message: 'backoff' }), ['Job Degraded backoff']],
  ['CronJob', { spec: { suspend: true } }, ['CronJob Suspended']],
  ['Rollout', { status: { phase: 'Paused', message: 'CanaryPauseStep' } }, ['Rollout Suspended']],
  ['Rollout', { status: { phase: 'Degraded', message: 'aborted' } }, ['Rollout Degraded aborted']],
  [
    'Certificate',
    conditions({ type: 'Ready', status: 'False', message: 'issuing' }),
    ['Certificate Degraded issuing'],
  ],
])(
  'of an Application that does not say, it is read from the cluster: %s %j',
  async (kind, object, expected) => {
    expect(await look(kind, object)).toEqual(expected);
  },
);

test('what may not be read is left out, and another cluster is not looked for in this one', async () => {
  expect(await look('HorizontalPodAutoscaler', 'unreadable')).toEqual([]);
  await expect(
    look('HorizontalPodAutoscaler', noMetrics, { server: 'https://elsewhere.example' }),
  ).rejects.toThrow('Cluster https://elsewhere.example cannot be looked into from here');
});
