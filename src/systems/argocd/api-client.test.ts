import { expect, test } from 'vitest';
import { KubernetesError, type Kubernetes, type Query } from '../kubernetes/index.ts';
import { createArgoCd } from './api-client.ts';

const all = '/apis/argoproj.io/v1alpha1';
const orders = (namespace: string) => ({
  metadata: { name: 'orders-dev', namespace },
  spec: { destination: {} },
});

/** @param list what the API server answers to whoever looks in all namespaces */
function argocd(list: () => unknown) {
  const asked: string[] = [];
  const kubernetes = {
    async get(path: string, query: Query = {}) {
      asked.push([path, query['fieldSelector']].filter(Boolean).join('?'));
      return path === `${all}/applications` ? list() : undefined;
    },
  } as Partial<Kubernetes> as Kubernetes;
  return { argocd: createArgoCd({ kubernetes, namespace: 'argocd' }), asked };
}

test('an Application lies in Argo CD’s namespace, or in the one that its name begins with', async () => {
  const { argocd: client, asked } = argocd(() => ({ items: [] }));
  await client.application('orders-dev');
  await client.application('team-a/orders-dev');
  expect(asked).toEqual([
    `${all}/namespaces/argocd/applications/orders-dev`,
    `${all}/namespaces/team-a/applications/orders-dev`,
  ]);
});

test('those of the same name in other namespaces are found by the name alone', async () => {
  const { argocd: client, asked } = argocd(() => ({ items: [orders('team-a'), orders('argocd')] }));
  const found = async (name: string) => (await client.namesakes(name)).map(({ namespace }) => namespace);
  expect(await found('orders-dev')).toEqual(['team-a']);
  expect(await found('team-a/orders-dev')).toEqual(['argocd']);
  expect(new Set(asked)).toEqual(new Set([`${all}/applications?metadata.name=orders-dev`]));
});

test('where we may not look, there are none', async () => {
  const { argocd: client } = argocd(() => {
    throw new KubernetesError(403, 'applications is forbidden');
  });
  expect(await client.namesakes('orders-dev')).toEqual([]);
});
