import { expect, test, vi } from 'vitest';
import { heldBack } from '../../model/recovery/automation.ts';
import { KubernetesError, type Kubernetes } from '../../systems/kubernetes/index.ts';
import { giveBack } from './restore-automation.ts';

const stored = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application' as const,
  metadata: { name: 'web' },
  spec: { syncPolicy: { automated: { prune: true } } },
};

/** A cluster in which the Application stands as it was restored. */
function cluster(patch: Kubernetes['patch']) {
  const metadata = { name: 'web', resourceVersion: '1' };
  return { get: async () => ({ ...heldBack(stored), metadata }), patch } as Partial<Kubernetes> as Kubernetes;
}

test('what synced by itself does again', async () => {
  const patch = vi.fn<Kubernetes['patch']>();
  expect(
    await giveBack({ kubernetes: cluster(patch), stillWanted: async () => true }, 'argocd', stored),
  ).toBe(true);
  expect(patch).toHaveBeenCalledOnce();
});

test('once its recreation has ended, nothing is changed any more, however far an attempt has come', async () => {
  const patch = vi.fn<Kubernetes['patch']>();
  expect(
    await giveBack({ kubernetes: cluster(patch), stillWanted: async () => false }, 'argocd', stored),
  ).toBe(false);
  expect(patch).not.toHaveBeenCalled();
});

test('one that something else writes without end is left for the next attempt', async () => {
  const patch = vi.fn<Kubernetes['patch']>(() => Promise.reject(new KubernetesError(409, 'PATCH: 409.')));
  const given = giveBack({ kubernetes: cluster(patch), stillWanted: async () => true }, 'argocd', stored);
  await expect(given).rejects.toMatchObject({ status: 409 });
});
