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
