import { expect, test } from 'vitest';
import type { Manifest } from '../manifests.ts';
import { hooksIn } from './hooks.ts';

const job = (annotations?: Record<string, string>): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  namespace: 'claims',
  name: 'migrate',
  object: { kind: 'Job', metadata: { name: 'migrate', ...(annotations && { annotations }) } },
});
const argo = 'argocd.argoproj.io/hook';
const helm = 'helm.sh/hook';

test.each([
  [{ [argo]: 'PreSync' }, '(PreSync)'],
  [{ [argo]: 'PreSync, PostSync' }, '(PreSync, PostSync)'],
  [{ [helm]: 'pre-install,pre-upgrade' }, '(PreSync)'],
  [{ [helm]: 'post-upgrade' }, '(PostSync)'],
  [{ [argo]: 'Sync', [helm]: 'post-upgrade' }, '(Sync)'],
])('a sync runs an object with %j', (annotations, phases) => {
  expect(hooksIn([job(annotations)])).toEqual([`Job/migrate in claims ${phases}`]);
});

test.each([
  undefined,
  {},
  { [argo]: 'Skip' },
  { [argo]: 'SyncFail' },
  { [argo]: 'PostDelete' },
  { [helm]: 'crd-install' },
  { [helm]: 'test' },
  { [argo]: 'Skip', [helm]: 'pre-install' },
])('of one with %j it says nothing: it does not run, or not as a hook', (annotations) => {
  expect(hooksIn([job(annotations)])).toEqual([]);
});
