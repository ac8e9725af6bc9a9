import { expect, test } from 'vitest';
import type { Kubernetes } from '../kubernetes/index.ts';
import { listOwned } from './list-owned.ts';

const namespaces = ['argocd', 'team-a', 'team-b', 'other', '!team-a'];

async function owned(patterns: string): Promise<string[]> {
  const kubernetes = {
    get: async () => ({ data: { 'application.namespaces': patterns } }),
    text: async () =>
      JSON.stringify({
        metadata: {},
        items: namespaces.map((namespace) => ({ metadata: { name: 'web', namespace } })),
      }),
  } as Partial<Kubernetes> as Kubernetes;
  const found = await Array.fromAsync(listOwned(kubernetes, 'argocd', 'Application'));
  return found.map(({ metadata }) => metadata.namespace ?? '');
}

test.each([
  ['team-*', ['argocd', 'team-a', 'team-b']],
  ['team-[!a]', ['argocd', 'team-b']],
  // Its commas part patterns.
  ['{team-a,other}', ['argocd']],
  // No negation: Argo CD takes it for a name.
  ['!team-a', ['argocd', '!team-a']],
  ['/^(team-a|other)$/', ['argocd', 'team-a', 'other']],
  ['team-(a|b)', ['argocd']],
])('%s names the namespaces that it names for Argo CD', async (patterns, expected) => {
  expect(await owned(patterns)).toEqual(expected);
});
