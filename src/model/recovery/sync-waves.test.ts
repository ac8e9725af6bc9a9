import { expect, test } from 'vitest';
import { rootsAmong, waveOf, type Placed } from './sync-waves.ts';

const application = (name: string, more: Partial<Placed['metadata']> = {}): Placed => ({
  kind: 'Application',
  metadata: { name, ...more },
});
const tracking = (id: string) => ({ annotations: { 'argocd.argoproj.io/tracking-id': id } });

test.for([
  [undefined, 0],
  ['3', 3],
  ['-2', -2],
  ['+1', 1],
  ['later', 0],
  ['1.5', 0],
  ['', 0],
] as const)('the wave of an Application that says %s is %i', ([text, wave]) => {
  const annotations = text === undefined ? {} : { 'argocd.argoproj.io/sync-wave': text };
  expect(waveOf(application('orders', { annotations }))).toBe(wave);
});

test('a root is what an Application, an ApplicationSet or a project was applied by', () => {
  const roots = rootsAmong([
    application('apps'),
    application('sets'),
    application('projects'),
    application('orders', tracking('apps:argoproj.io/Application:argocd/orders')),
    { kind: 'ApplicationSet', metadata: { name: 's', ...tracking('sets:argoproj.io/ApplicationSet:a/s') } },
    { kind: 'AppProject', metadata: { name: 'p', ...tracking('projects:argoproj.io/AppProject:a/p') } },
  ]);
  expect(roots).toEqual(new Set(['apps', 'sets', 'projects']));
});

test('a root of another namespace, one by label, and one that applies itself', () => {
  const roots = rootsAmong([
    application('apps', { namespace: 'team' }),
    application('old'),
    application('itself', tracking('itself:argoproj.io/Application:argocd/itself')),
    application('orders', tracking('team_apps:argoproj.io/Application:argocd/orders')),
    application('payments', { labels: { 'app.kubernetes.io/instance': 'old' } }),
  ]);
  expect(roots).toEqual(new Set(['team_apps', 'old', 'itself']));
});

test('no root: one that is gone, one whose mark was copied, and one of which only a Secret was applied', () => {
  const roots = rootsAmong([
    application('apps'),
    application('orders', tracking('gone:argoproj.io/Application:argocd/orders')),
    application('copy', tracking('apps:argoproj.io/Application:argocd/orders')),
    application('shipping', { labels: { 'app.kubernetes.io/instance': 'shipping-release' } }),
    { kind: 'Secret', metadata: { name: 'repository', labels: { 'app.kubernetes.io/instance': 'apps' } } },
  ]);
  expect(roots).toEqual(new Set());
});
