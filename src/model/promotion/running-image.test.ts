import { expect, test } from 'vitest';
import type { Manifest } from '../manifests.ts';
import { imagesPastGit, otherImage, workloadsOf, type LiveWorkload } from './running-image.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const older = `sha256:${'0'.repeat(64)}`;
const image = { name: 'registry.example/team/claims', digest };
const right = `${image.name}:1a2b@${digest}`;

const manifest = (apiVersion: string, kind: string, containers: object, metadata: object = {}): Manifest => ({
  apiVersion,
  kind,
  namespace: '',
  name: 'claims',
  object: { apiVersion, kind, metadata, spec: { template: { spec: containers } } },
});
const app = (used = right) => ({ containers: [{ name: 'app', image: used }] });
const found = (...manifests: Manifest[]) =>
  workloadsOf(manifests, image, 'dev').map(({ kind, containers }) => [kind, ...containers].join(' '));

test('what should run the image is every container whose manifest names it, init containers and those of a mirror too', () => {
  const several = {
    initContainers: [{ name: 'migrate', image: right }],
    containers: [
      { name: 'app', image: `mirror.example/claims@${digest}` },
      { name: 'proxy', image: 'envoy:1' },
    ],
  };
  expect(workloadsOf([manifest('apps/v1', 'Deployment', several)], image, 'dev')).toEqual([
    { kind: 'Deployment', namespace: 'dev', name: 'claims', containers: ['app', 'migrate'] },
  ]);
  const others = [
    'apps/v1 StatefulSet',
    'apps/v1 DaemonSet',
    'batch/v1 CronJob',
    'argoproj.io/v1alpha1 Rollout',
  ];
  for (const [apiVersion = '', kind = ''] of others.map((other) => other.split(' '))) {
    expect(found(manifest(apiVersion, kind, app()))).toEqual([`${kind} app`]);
  }
});

test('what runs nothing of it, is an operator’s, ends by itself or is a hook is left to Argo CD', () => {
  expect(
    found(
      manifest('apps/v1', 'Deployment', app('envoy:1')),
      manifest('spark.example/v1', 'Deployment', app()),
      manifest('batch/v1', 'Job', app()),
      ...['PreSync', 'SyncFail', 'Skip'].map((hook) =>
        manifest('apps/v1', 'Deployment', app(), { annotations: { 'argocd.argoproj.io/hook': hook } }),
      ),
    ),
  ).toEqual([]);
});

const workload = { kind: 'Deployment', namespace: 'dev', name: 'claims', containers: ['app'] };
const other = (template: string, ...pods: { image: string; imageId?: string }[]) => {
  const live: LiveWorkload = {
    template: [{ container: 'app', image: template }],
    pods: pods.map((pod, index) => ({
      name: `claims-${index}`,
      containers: [
        { container: 'sidecar', image: 'envoy:1' },
        { container: 'app', ...pod },
      ],
    })),
  };
  return otherImage(image, workload, live);
};

test.each([
  ['by its name', right, [{ image: right }, { image: right }]],
  ['from a mirror', `mirror.example/claims@${digest}`, [{ image: `mirror.example/claims@${digest}` }]],
  ['from a mirror, which only its pods name', right, [{ image: `mirror.example/claims@${digest}` }]],
  [
    'though its node says another digest: that of its own platform',
    right,
    [{ image: right, imageId: `x@${older}` }],
  ],
  [
    'by a tag, and its node says the digest',
    right,
    [{ image: 'm/claims:1', imageId: `docker-pullable://m/claims@${digest}` }],
  ],
  ['without pods', right, []],
])('it runs %s', (_, template, pods) => {
  expect(other(template, ...pods)).toBeUndefined();
});

const others = `not ${image.name}@${digest}, in container app`;
test.each([
  ['debian:12', [{ image: right }], `Deployment/claims in dev runs image debian:12, ${others}`, undefined],
  [
    right,
    [{ image: right }, { image: `${image.name}@${older}`, imageId: `${image.name}@${digest}` }],
    `Pod claims-1 of Deployment/claims in dev runs image ${image.name}@${older}, ${others}`,
    'claims-1',
  ],
  [
    right,
    [{ image: 'm/claims:1', imageId: `docker://${digest}` }],
    `Pod claims-0 of Deployment/claims in dev runs image m/claims:1, ${others}`,
    'claims-0',
  ],
])('another one is told: %s, %j', (template, pods, what, pod) => {
  expect(other(template, ...pods)).toEqual({ what, ...(pod !== undefined && { pod }) });
});

test('what is gone runs nothing', () => {
  expect(otherImage(image, workload, undefined)).toEqual({ what: 'Deployment/claims in dev is not there' });
  expect(otherImage(image, workload, { template: [], pods: [] })).toEqual({
    what: 'Deployment/claims in dev has no container app',
  });
});

test('images that somebody gave to pods past Git are told from those of the manifests', () => {
  const git = [manifest('apps/v1', 'Deployment', app()), manifest('batch/v1', 'CronJob', app(`x@${older}`))];
  expect(imagesPastGit(git, [right, 'envoy:1'])).toEqual([]);
  expect(imagesPastGit(git, ['debian:12', 'envoy:1'])).toEqual(['debian:12', 'envoy:1']);
  // Nothing runs, or only tags are named: nobody can say.
  expect(imagesPastGit(git, [])).toEqual([]);
  expect(imagesPastGit([manifest('apps/v1', 'Deployment', app('claims:1'))], ['debian:12'])).toEqual([]);
});
