import { expect, test } from 'vitest';
import type { Manifest } from '../manifests.ts';
import { refuseImage } from './release-image.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const image = { name: 'registry.example/team/claims', digest };
const service = { name: 'claims', image: image.name };
const right = `${image.name}:1a2b@${digest}`;

const deployment = (name: string, used: string, kind = 'Deployment'): Manifest => ({
  apiVersion: 'apps/v1',
  kind,
  namespace: '',
  name,
  object: { kind, spec: { template: { spec: { containers: [{ name: 'app', image: used }] } } } },
});
const refusal = (release: Manifest[], overlay: Manifest[]) =>
  refuseImage(image, service, { release, overlay });

test('an overlay may rename what a release brings, and take its image from a mirror', () => {
  const release = [deployment('claims', right)];
  expect(refusal(release, [deployment('a-claims-z', right)])).toBeUndefined();
  expect(refusal(release, [deployment('claims', `mirror.example/claims@${digest}`)])).toBeUndefined();
});

test('it may take one away and bring others of its own', () => {
  const release = [deployment('claims', right), deployment('worker', right), deployment('cache', 'redis:8')];
  const overlay = [deployment('claims', right), deployment('cache', 'redis:8')];
  expect(refusal(release, overlay)).toBeUndefined();
  expect(refusal(release, [...release, deployment('proxy', 'nginx:1.29')])).toBeUndefined();
});

test('one of several that runs another image is named', () => {
  const release = [deployment('claims', right), deployment('worker', right)];
  const overlay = [deployment('claims', right), deployment('worker', 'elsewhere.example/claims:1')];
  expect(refusal(release, overlay)).toBe(
    'Deployment/worker: container app would run elsewhere.example/claims:1. The overlay replaces the image registry.example/team/claims of the release. Remove that override.',
  );
});

test('what an overlay adds with the image has its place in base/', () => {
  const release = [deployment('claims', right)];
  expect(refusal(release, [...release, deployment('nightly', `${image.name}:main`, 'CronJob')])).toBe(
    `CronJob/nightly: container app would run ${image.name}:main, not ${digest}. Move that manifest into base/, where a release puts the digest.`,
  );
});

test('an overlay without the release is told', () => {
  const release = [deployment('claims', right)];
  expect(refusal(release, [deployment('proxy', 'nginx:1.29', 'DaemonSet')])).toMatch(
    /Say resources: \[release\]/,
  );
});
