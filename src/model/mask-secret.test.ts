import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskSecret } from './mask-secret.ts';

const hash = (text: string): string => `hash-of-${text.length}-characters`;
const masked = (object: Record<string, unknown>): Record<string, unknown> =>
  maskSecret({ apiVersion: 'v1', kind: 'Secret', namespace: '', name: 's', object }, hash).object;

test('the values of a Secret are shown as hashes only', () => {
  expect(masked({ kind: 'Secret', data: { key: 'c2VjcmV0' }, stringData: { k: 'v' } })).toEqual({
    kind: 'Secret',
    data: { key: 'sha256:hash-of-8-ch…' },
    stringData: { k: 'sha256:hash-of-1-ch…' },
  });
});

test('copies of them that tools keep in annotations are hidden, and what steers a sync is shown', () => {
  const steering = { 'argocd.argoproj.io/sync-wave': '-1', 'helm.sh/hook': 'pre-install' };
  const { metadata } = masked({
    kind: 'Secret',
    metadata: {
      name: 's',
      labels: { app: 'claims' },
      annotations: {
        ...steering,
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
        'kapp.k14s.io/original': '{"stringData":{"password":"hunter2"}}',
        note: 'the password is hunter2',
      },
    },
  });
  expect(metadata).toMatchObject({ name: 's', labels: { app: 'claims' }, annotations: steering });
  expect(JSON.stringify(metadata)).not.toMatch(/hunter2|aHVudGVyMg/);
});

test('whatever a Secret holds beside its name, kind and labels is hidden, however it is misspelt', () => {
  const hidden = fc.oneof(
    fc.constant('hunter2'),
    fc.constant(['hunter2']),
    fc.constant({ password: 'hunter2' }),
    fc.constant({ nested: { password: 'hunter2' } }),
  );
  const key = fc.constantFrom('data', 'stringData', 'stringdata', 'Data', 'spec', 'values');
  fc.assert(
    fc.property(key, hidden, (name, value) => {
      expect(
        JSON.stringify(masked({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', [name]: value })),
      ).not.toContain('hunter2');
    }),
  );
  expect(masked({ kind: 'Secret', type: 'Opaque', immutable: true, data: null })).toEqual({
    kind: 'Secret',
    type: 'Opaque',
    immutable: true,
    data: null,
  });
});

test('that a value changed is seen, whatever it is', () => {
  const one = masked({ kind: 'Secret', data: { a: { b: 1 } } });
  expect(one).not.toEqual(masked({ kind: 'Secret', data: { a: { b: 10 } } }));
});

test('other kinds are shown as they are', () => {
  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: '',
    name: 'c',
    object: { data: { a: 'b' } },
  };
  expect(maskSecret(manifest, hash)).toBe(manifest);
});
