import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { configuration } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { LiveWorkload } from '../../model/promotion/running-image.ts';
import { UnseenCluster, type ArgoCd } from '../../systems/argocd/index.ts';
import { KubernetesError } from '../../systems/kubernetes/index.ts';
import { createImageLook } from './image-look.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const image = { name: 'registry.example/team/claims', digest };
const right = `${image.name}@${digest}`;
const overlay = 'manifests/claims/overlays/dev';

let disk: DiskRepository;
let folder: string;
let revision: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-look-test-'));
  disk = await makeDiskRepository({
    [`${overlay}/kustomization.yaml`]: 'namePrefix: a-\nresources: [deployment.yaml]\n',
    [`${overlay}/deployment.yaml`]: JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'claims' },
      spec: { template: { spec: { containers: [{ name: 'app', image: right }] } } },
    }),
  });
  revision = await disk.git('rev-parse', 'HEAD');
  return () => disk.remove();
});
afterAll(() => rm(folder, { recursive: true }));

/** What the cluster answers, and what it was asked for. */
let answer: () => LiveWorkload | undefined;
let asked: object[];
beforeEach(() => {
  asked = [];
  vi.useFakeTimers({ toFake: ['Date'] });
  return () => vi.useRealTimers();
});

const running = (used: string) => (): LiveWorkload => ({
  template: [{ container: 'app', image: used }],
  pods: [],
});

const argocd = {
  kustomizeBuildOptions: async () => [],
  liveWorkloads: async (_, workloads) => {
    asked.push(...workloads);
    return workloads.map(answer);
  },
} as Partial<ArgoCd> as ArgoCd;

function look({
  images = [] as string[],
  operationId = undefined as string | undefined,
  hasImage = true,
} = {}) {
  const config = configuration({ repository: { url: 'https://forge.example/team/platform.git' } });
  const wait = {
    environment: 'dev',
    service: 'claims',
    revision,
    tree: '',
    deadline: '',
    release: {
      change: { service: 'claims', commit: revision },
      source: { position: 1, subject: '', authors: [], committedAt: '', base: '', paths: [] },
      ...(hasImage && { image }),
    },
    ...(operationId !== undefined && { operationId }),
  };
  const looked = createImageLook({ config, repository: disk.repository, argocd }, wait, folder);
  const application = { destination: { namespace: 'dev' }, images } as Partial<Application> as Application;
  return () => looked(application, revision);
}

test('an Application whose pods run the release’s image is as it should be', async () => {
  answer = running(right);
  expect(await look()()).toBeUndefined();
  expect(asked).toEqual([{ kind: 'Deployment', namespace: 'dev', name: 'a-claims', containers: ['app'] }]);
});

test('another image is told, with what to do where Argo CD syncs by itself, and where the promotion does', async () => {
  answer = running('debian:12');
  expect(await look()()).toEqual({
    what: `the release's image (Deployment/a-claims in dev runs image debian:12, not ${right}, in container app)`,
    remedy:
      'Somebody changed it past Git. Put it back (argocd app sync claims-dev), then deliver the change again.',
  });
  expect(await look({ operationId: 'id' })()).toMatchObject({
    remedy: 'Somebody changed it past Git. Deliver the change again, which syncs it.',
  });
});

test('it is looked at again, but not at every turn', async () => {
  answer = running('debian:12');
  const again = look();
  expect(await again()).toBeDefined();
  answer = running(right);
  expect(await again()).toBeDefined();
  expect(asked).toHaveLength(1);
  vi.advanceTimersByTime(5000);
  expect(await again()).toBeUndefined();
});

test('a pod that runs another one than its workload says is told', async () => {
  answer = () => ({
    ...running(right)(),
    pods: [{ name: 'a-claims-0', containers: [{ container: 'app', image: 'old:1' }] }],
  });
  expect(await look()()).toMatchObject({
    what: expect.stringContaining('Pod a-claims-0 of Deployment/a-claims in dev runs image old:1'),
    remedy: expect.stringContaining('kubectl -n dev delete pod a-claims-0'),
  });
});

test('where pods may not be read, that is told at once with the right that lacks', async () => {
  answer = () => {
    throw new KubernetesError(403, 'GET /pods: 403 pods is forbidden: cannot list resource "pods".');
  };
  expect(await look()()).toEqual({
    lasting: true,
    what: 'Argo CD calls it healthy, but which image runs cannot be seen: GET /pods: 403 pods is forbidden: cannot list resource "pods". Give the account that right in the cluster. Then deliver the change again.',
  });
});

test('a cluster that is away for a while is waited for, and one that is being rebuilt ends the wait', async () => {
  answer = () => {
    throw new KubernetesError(503, 'etcd is away.');
  };
  expect(await look()()).toEqual({ what: 'a look at what its pods run (etcd is away.)' });
  const rebuilt = ApplicationFailure.create({ type: 'BeingRecreated' });
  answer = () => {
    throw rebuilt;
  };
  await expect(look()()).rejects.toBe(rebuilt);
});

test('of another cluster that cannot be looked into, Argo CD’s word counts', async () => {
  answer = () => {
    throw new UnseenCluster('Cluster eu cannot be looked into.');
  };
  expect(await look()()).toBeUndefined();
  expect(await look({ images: [right, 'envoy:1'] })()).toBeUndefined();
  expect(await look({ images: ['debian:12', 'envoy:1'] })()).toMatchObject({
    what: `the release's image (its pods run debian:12, envoy:1, not ${right})`,
  });
});

test('a service without an image is not looked at', async () => {
  expect(await look({ hasImage: false })()).toBeUndefined();
  expect(asked).toEqual([]);
});
