import { expect, test } from 'vitest';
import type { Kubernetes, Query } from './index.ts';
import { readLiveWorkload } from './live-workload.ts';

const image = 'registry.example/claims@sha256:1';
const template = { spec: { containers: [{ name: 'app', image }] } };

interface PodOptions {
  owner?: object;
  labels?: Record<string, string>;
  phase?: string;
  ending?: boolean;
}
const pod = (
  name: string,
  {
    owner = { kind: 'StatefulSet', name: 'claims' },
    labels = {},
    phase = 'Running',
    ending,
  }: PodOptions = {},
) => ({
  metadata: {
    name,
    labels,
    ownerReferences: [{ controller: true, ...owner }],
    ...(ending && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  },
  spec: { initContainers: [{ name: 'migrate', image }], containers: [{ name: 'app', image }] },
  status: { phase, containerStatuses: [{ name: 'app', imageID: 'registry.example/claims@sha256:2' }] },
});

/** A cluster in which a workload has these pods, a page each. */
async function read(kind: string, object: object, pods: object[]) {
  const asked: Query[] = [];
  const kubernetes = {
    async get(path: string, query: Query = {}) {
      if (!path.endsWith('/pods')) return object;
      asked.push(query);
      const page = Number(query['continue'] ?? 0);
      const more = page + 1 < pods.length ? String(page + 1) : '';
      return { metadata: { continue: more }, items: pods.slice(page, page + 1) };
    },
  } as Partial<Kubernetes> as Kubernetes;
  const live = await readLiveWorkload(kubernetes, { kind, namespace: 'dev', name: 'claims' });
  return { live, names: live?.pods.map(({ name }) => name), asked };
}

const selector = { matchLabels: { app: 'claims' } };

test('all pods that a workload has are read, with what their nodes say of them', async () => {
  const { live, names, asked } = await read('StatefulSet', { spec: { selector, template } }, [
    pod('claims-0'),
    pod('claims-1', { phase: 'Pending' }),
    pod('claims-2', { ending: true }),
    pod('claims-3', { phase: 'Failed' }),
  ]);
  expect(names).toEqual(['claims-0', 'claims-1']);
  expect(asked[0]).toMatchObject({ labelSelector: 'app=claims' });
  expect(live?.template).toEqual([{ container: 'app', image }]);
  expect(live?.pods[0]?.containers).toEqual([
    { container: 'app', image, imageId: 'registry.example/claims@sha256:2' },
    { container: 'migrate', image, imageId: undefined },
  ]);
});

test('pods of others with the same labels are not its own', async () => {
  const hash = { 'pod-template-hash': '5f6' };
  const { names } = await read('Deployment', { spec: { selector, template } }, [
    pod('own', { owner: { kind: 'ReplicaSet', name: 'claims-5f6' }, labels: hash }),
    pod('of-another', { owner: { kind: 'ReplicaSet', name: 'claims-api-5f6' }, labels: hash }),
    pod('of-a-job', { owner: { kind: 'Job', name: 'claims' } }),
  ]);
  expect(names).toEqual(['own']);
});

test('a Rollout keeps pods of before for a while, which do not count', async () => {
  const rolled = (hash: string) =>
    pod(hash, {
      owner: { kind: 'ReplicaSet', name: `claims-${hash}` },
      labels: { 'rollouts-pod-template-hash': hash },
    });
  const object = { spec: { selector, template }, status: { currentPodHash: 'new' } };
  expect((await read('Rollout', object, [rolled('old'), rolled('new')])).names).toEqual(['new']);
});

test('selectors with expressions are followed', async () => {
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['a', 'b'] },
    { key: 'track', operator: 'NotIn', values: ['canary'] },
    { key: 'app', operator: 'Exists' },
    { key: 'job', operator: 'DoesNotExist' },
  ];
  const { asked } = await read('StatefulSet', { spec: { selector: { matchExpressions }, template } }, []);
  expect(asked[0]).toMatchObject({ labelSelector: 'tier in (a,b),track notin (canary),app,!job' });
});

test('of a CronJob its template counts', async () => {
  const object = { spec: { jobTemplate: { spec: { template } } } };
  const { live, asked } = await read('CronJob', object, [pod('claims-1')]);
  expect(live).toEqual({ template: [{ container: 'app', image }], pods: [] });
  expect(asked).toEqual([]);
});
