import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalManifests,
  compare,
  containerImages,
  imageDigest,
  imageName,
  summarize,
  type Manifest,
} from './manifests.ts';

const digest = `sha256:${'d'.repeat(64)}`;

const manifest = (kind: string, name: string, spec: unknown = {}): Manifest => ({
  apiVersion: 'apps/v1',
  kind,
  namespace: 'claims',
  name,
  object: { apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'claims' }, spec },
});
const deployment = (name: string, image: string): Manifest =>
  manifest('Deployment', name, { template: { spec: { containers: [{ name: 'app', image }] } } });

const anyManifest = fc
  .tuple(fc.constantFrom('Deployment', 'Service', 'Job'), fc.constantFrom('a', 'b', 'c'), fc.jsonValue())
  .map(([kind, name, spec]) => manifest(kind, name, spec));
const anyManifests = fc.uniqueArray(anyManifest, { selector: ({ kind, name }) => kind + name });

test('the canonical form does not depend on any order', () => {
  fc.assert(
    fc.property(anyManifests, fc.integer(), (manifests, turn) => {
      const turned = manifests.toSorted((a, b) => (turn % 2 ? 1 : -1) * a.name.localeCompare(b.name));
      const shuffledKeys = turned.map((one) => ({
        ...one,
        object: Object.fromEntries(Object.entries(one.object).toReversed()),
      }));
      expect(canonicalManifests(shuffledKeys)).toBe(canonicalManifests(manifests));
    }),
  );
});

test('every object is removed, changed, added or the same', () => {
  fc.assert(
    fc.property(anyManifests, anyManifests, (before, after) => {
      const { removed, changed, added } = compare(before, after);
      expect(before.length - removed.length).toBe(after.length - added.length);
      const same = canonicalManifests(before) === canonicalManifests(after);
      expect(removed.length + changed.length + added.length === 0).toBe(same);
    }),
  );
});

test('a summary names what is gone first, and what an image becomes', () => {
  const before = [deployment('claims', 'r/claims:1a2b@sha256:0'), manifest('Service', 'old')];
  const after = [deployment('claims', 'r/claims:3c4d@sha256:1'), manifest('Service', 'new')];
  expect(summarize(compare(before, after))).toBe(
    '1 removed: Service/old in claims; 1 changed: Deployment/claims in claims (image 1a2b → 3c4d); 1 added: Service/new in claims',
  );
  expect(summarize(compare(before, before))).toBe('Nothing changes.');
});

test('a summary names the hooks that a sync runs, also where nothing else changes', () => {
  const [old, now] = [deployment('claims', 'r/claims:1a2b'), deployment('claims', 'r/claims:3c4d')];
  expect(summarize(compare([old], [old]), ['Job/migrate in claims (PreSync)'])).toBe(
    'Nothing changes, but 1 hook runs: Job/migrate in claims (PreSync)',
  );
  expect(summarize(compare([old], [now]), ['Job/a (PreSync)', 'Job/b (PostSync)'])).toBe(
    '1 changed: Deployment/claims in claims (image 1a2b → 3c4d); 2 hooks run: Job/a (PreSync), Job/b (PostSync)',
  );
});

test('a summary has at most 600 characters', () => {
  const many = Array.from({ length: 100 }, (_, i) => manifest('Service', `a-service-with-a-name-${i}`));
  expect(summarize(compare(many, []))).toHaveLength(600);
});

test('images are found wherever containers are', () => {
  const pod = { initContainers: [{ name: 'i', image: 'b' }], containers: [{ name: 'c', image: 'a' }] };
  const cronJob = manifest('CronJob', 'x', { jobTemplate: { spec: { template: { spec: pod } } } });
  expect(containerImages(cronJob.object)).toEqual([
    { container: 'c', image: 'a' },
    { container: 'i', image: 'b' },
  ]);
});

test.each([
  ['localhost:5000/team/claims:tag', 'localhost:5000/team/claims', undefined],
  [`localhost:5000/team/claims:tag@${digest}`, 'localhost:5000/team/claims', digest],
  [`claims@${digest}`, 'claims', digest],
  ['localhost:5000/claims', 'localhost:5000/claims', undefined],
])('the name and digest of %s', (image, name, wanted) => {
  expect([imageName(image), imageDigest(image)]).toEqual([name, wanted]);
});
