import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../model/manifests.ts';
import { diffManifests } from './diff.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diff-'));
  return () => rm(folder, { recursive: true });
});

const manifest = (name: string, replicas: number): Manifest => ({
  apiVersion: 'autoscaling.alibabacloud.example/v1',
  kind: 'HorizontalPodAutoscaler',
  namespace: 'brainsait-production',
  name,
  object: { metadata: { name }, spec: { replicas } },
});

test('an object is shown by its name, as long as a name may be', async () => {
  const long = 'n'.repeat(253);
  const shown = await diffManifests([manifest(long, 1), manifest('gone', 1)], [manifest(long, 2)], folder);
  const [first = '', second = ''] = shown.split('\n\n');
  expect(first).toMatch(/^=== DELETED: .*\/gone/);
  expect(second).toMatch(new RegExp(`^=== changed: .*${long}.*\\n@@`));
  expect(second).toContain('-  replicas: 1\n+  replicas: 2');
});

test('nothing that is compared can hide what comes after it', async () => {
  const settings = (b: string): Manifest => {
    const object = { data: { a: `x\u0007\u2028diff --git a b`, b } };
    return { apiVersion: 'v1', kind: 'ConfigMap', namespace: '', name: 'settings', object };
  };
  const shown = await diffManifests([settings('ok')], [settings('EVIL')], folder);
  expect(shown).toContain('-  b: ok\n+  b: EVIL');
  const added = await diffManifests([], [settings('EVIL')], await mkdtemp(join(folder, 'added-')));
  expect(added).toContain('+  b: EVIL');
});
