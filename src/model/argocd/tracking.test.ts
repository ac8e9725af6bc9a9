import { expect, test } from 'vitest';
import { trackingOf } from './tracking.ts';

const id = (text: string) => ({ annotations: { 'argocd.argoproj.io/tracking-id': text } });
const label = { labels: { 'app.kubernetes.io/instance': 'old' } };

test.each([
  [id('shop:/Service:bakery/orders'), { instance: 'shop', kind: 'Service', name: 'orders' }],
  [
    id('team_shop:rbac.authorization.k8s.io/ClusterRole:/system:orders'),
    { instance: 'team_shop', kind: 'ClusterRole', name: 'system:orders' },
  ],
  [label, { instance: 'old' }],
  [
    { ...label, ...id('shop:apps/Deployment:bakery/orders') },
    { instance: 'shop', kind: 'Deployment', name: 'orders' },
  ],
  [{}, { instance: undefined }],
])('%j is of %j', (metadata, tracking) => {
  expect(trackingOf(metadata)).toEqual(tracking);
});
