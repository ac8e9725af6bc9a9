import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { BackupIndex } from '../src/model/recovery/backup.ts';
import {
  application,
  makeSite,
  manifest,
  openSite,
  someState,
  type OpenRecreation,
  type Site,
  type StoredObject,
} from './support/building-site.ts';
import { startControlPlane, type ControlPlane } from './support/control-plane.ts';

/** On two busy cores an API server takes its time. */
const timeout = 120_000;
const argoProj = '/apis/argoproj.io/v1alpha1';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

let plane: ControlPlane;
let site: Site;
let recreation: OpenRecreation;

beforeAll(async () => {
  plane = await startControlPlane();
}, timeout);
afterAll(() => plane.remove());

beforeEach(async () => {
  site = await makeSite({ lost: plane.kubeconfig });
  recreation = await site.open();
});
afterEach(() => site.remove());

const check = (more: { key?: string; allowOlder?: boolean } = {}, of = { site, recreation }) =>
  of.recreation.run(of.site.activities.checkRecreation, {
    ...of.recreation.target,
    allowOlder: false,
    ...more,
  });
const install = ({ run, target } = recreation) => run(site.activities.installArgoCd, target);
const restore = ({ key }: BackupIndex, { run, target } = recreation) =>
  run(site.activities.restoreBackup, { ...target, key });

interface Live {
  metadata: { name: string; resourceVersion: string; annotations?: Record<string, string> };
  spec: { replicas: number; syncPolicy?: { automated?: object } };
}
const path = (collection: string, api = argoProj): string =>
  `${api}/namespaces/${site.plan.id}/${collection}`;
const list = async (at: string): Promise<Live[]> =>
  ((await plane.kubernetes.get(at)) as { items: Live[] }).items;
const applications = (): Promise<Live[]> => list(path('applications'));
const many = (count: number): StoredObject[] =>
  Array.from({ length: count }, (_, number) => application(`app-${number}`));

/** This test comes first: nothing is defined yet. */
test(
  'a definition that takes long is waited for',
  async () => {
    const names = { kind: 'Application', plural: 'applications2', singular: 'application2' };
    const inTheWay = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'applications2.argoproj.io' },
      spec: {
        group: 'argoproj.io',
        scope: 'Namespaced',
        names,
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    };
    await plane.kubernetes.post(definitions, inTheWay);
    let installed = false;
    const installing = install().finally(() => (installed = true));
    await vi.waitFor(
      async () => {
        const found = await plane.kubernetes.get(`${definitions}/applications.argoproj.io`);
        const refused = { type: 'NamesAccepted', status: 'False' };
        const conditions = expect.arrayContaining([expect.objectContaining(refused)]) as unknown;
        expect(found).toMatchObject({ status: { conditions } });
      },
      { timeout: 60_000 },
    );
    expect(installed).toBe(false);
    await plane.kubernetes.delete(`${definitions}/applications2.argoproj.io`);
    await installing;
    expect(await applications()).toEqual([]);
  },
  timeout,
);

test('another manifest than the pinned one is refused with both hashes, and nothing is installed', async () => {
  const sha256 = 'a'.repeat(64);
  const argocd = { namespace: site.plan.id, install: { manifest, sha256 } };
  const other = await openSite({ ...site.plan, argocd });
  const { run, target } = recreation;
  const told = new RegExp(`has SHA-256 [0-9a-f]{64}, and argocd.install.sha256 says ${sha256}`);
  await expect(run(other.activities.installArgoCd, target)).rejects.toThrow(told);
  await expect(check({}, { site: other, recreation })).rejects.toThrow(told);
  expect(await plane.kubernetes.get(`/api/v1/namespaces/${site.plan.id}`)).toBeUndefined();
  await other.remove();
});

test(
  'a backup that is no good, foreign, too old or of an Argo CD that cannot be migrated is refused',
  async () => {
    await expect(check()).rejects.toThrow(/There is no good backup of site-/);
    const objects = someState(site);
    const key = 'argocd/other/2026-01-01/000000Z-0123456789abcdef';
    await expect(check({ key })).rejects.toThrow(/There is no backup argocd/);

    const flipped = await site.backUp(objects);
    const bytes = readFileSync(site.fileOf(flipped.key));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(site.fileOf(flipped.key), bytes);
    await expect(check({ key: flipped.key })).rejects.toThrow(
      /is bad. Its bytes are not those that were written/,
    );

    const truncated = await site.backUp(objects);
    truncateSync(site.fileOf(truncated.key), 100);
    await expect(check({ key: truncated.key })).rejects.toThrow(/is bad. Its 100 bytes were/);

    const [one, other] = [await site.backUp(objects), await site.backUp(objects)];
    copyFileSync(site.fileOf(other.key), site.fileOf(one.key));
    await expect(check({ key: one.key })).rejects.toThrow(/is bad/);

    const foreign = await site.backUp(objects, { cluster: 'another' });
    await expect(check({ key: foreign.key })).rejects.toThrow(/is bad. It is a backup of another/);

    const identity = await generateX25519Identity();
    const wrongKey = await openSite({ ...site.plan, identity });
    await expect(check({ key: other.key }, { site: wrongKey, recreation })).rejects.toThrow(
      /encrypted to other recipients/,
    );

    const old = await site.backUp(objects, {
      createdAt: new Date(Date.now() - 48 * 3_600_000).toISOString(),
    });
    await expect(check({ key: old.key })).rejects.toThrow(/older than backup.oldestAllowed \(26h\)/);
    expect((await check({ key: old.key, allowOlder: true })).backup.older).toBe(true);

    const later = await site.backUp(objects, { argocd: { namespace: site.plan.id, version: 'v4.0.0' } });
    await expect(check({ key: later.key })).rejects.toThrow(/does not read what v4.0.0/);
    expect((await check({ key: other.key })).backup).toMatchObject({
      key: other.key,
      argocdVersion: 'v3.6.1',
    });
  },
  timeout,
);

test(
  'a live cluster is refused, also when it came to life after the check',
  async () => {
    const index = await site.backUp(someState(site));
    await check({ key: index.key });
    await install();
    await plane.kubernetes.delete(path('configmaps/gitops-recreation', '/api/v1'));
    await plane.kubernetes.post(path('applications'), application('alive'));
    await expect(check()).rejects.toThrow(/is alive: it has Applications in site-\w+ \(alive\)/);
    await expect(install()).rejects.toThrow(/is alive/);
    await expect(restore(index)).rejects.toThrow(/is not noted as one that is being built/);
    expect(await applications()).toHaveLength(1);
  },
  timeout,
);

test(
  'a half-built cluster of a recreation that is open is left alone; of one that died, it is taken over',
  async () => {
    const index = await site.backUp(someState(site, ['orders', 'payments']));
    await install();
    await restore(index);
    const drill = await site.open({ drill: true });
    await expect(install(drill)).rejects.toThrow(/is being built already/);

    await recreation.terminate();
    await expect(restore(index)).rejects.toThrow(/not open any more/);
    // Somebody touched what was restored.
    await plane.kubernetes.patch(path('applications/orders'), { operation: { sync: { revision: 'main' } } });
    const next = await site.open();
    await expect(restore(index, next)).rejects.toThrow(/is being built by/);
    await next.run(site.activities.checkRecreation, { ...next.target, allowOlder: false });
    await install(next);
    const { kinds } = await restore(index, next);
    expect(kinds.Application).toEqual({ expected: 4, created: 1, kept: 3, failed: 0 });
    expect(await plane.kubernetes.get(path('applications/orders'))).not.toHaveProperty('operation');
    // The one that died comes late.
    await expect(install(recreation)).rejects.toThrow(/not open any more/);
  },
  timeout,
);

test(
  'over an Application that is being deleted nothing is built',
  async () => {
    const index = await site.backUp(someState(site));
    await install();
    await restore(index);
    await recreation.terminate();
    await plane.kubernetes.delete(path('applications/orders'));
    const next = await site.open();
    await expect(
      next.run(site.activities.checkRecreation, { ...next.target, allowOlder: false }),
    ).rejects.toThrow(/The Application orders in site-\w+ is being deleted/);
    await expect(install(next)).rejects.toThrow(/is being deleted/);
  },
  timeout,
);

test(
  'a restore that loses the API server in its middle is done again, and every object is there once',
  async () => {
    const index = await site.backUp(many(600));
    await install();
    const restoring = restore(index);
    restoring.catch(() => undefined);
    await vi.waitFor(async () => expect((await applications()).length).toBeGreaterThan(50), { timeout });
    await plane.stopApiServer();
    await expect(restoring).rejects.toThrow(/KUBECONFIG says where the cluster is/);
    await plane.startApiServer();
    const { kinds } = await restore(index);
    const { created = 0, kept = 0 } = kinds.Application ?? {};
    expect(created).toBeGreaterThan(0);
    expect(kept).toBeGreaterThan(50);
    expect(created + kept).toBe(600);
    expect(await applications()).toHaveLength(600);
  },
  timeout,
);

test(
  'a restore whose process is killed in its middle is done again, and every object is there once',
  async () => {
    const index = await site.backUp(many(600));
    await install();
    const { target, execution } = recreation;
    const work = JSON.stringify({ plan: site.plan, target, execution, key: index.key });
    const script = fileURLToPath(new URL('support/restore-alone.ts', import.meta.url));
    const alone = execa(process.execPath, [script, work], { reject: false, stdio: 'ignore' });
    await vi.waitFor(async () => expect((await applications()).length).toBeGreaterThan(50), { timeout });
    alone.kill('SIGKILL');
    expect((await alone).signal).toBe('SIGKILL');
    expect((await applications()).length).toBeLessThan(600);
    const { kinds } = await restore(index);
    const { created = 0, kept = 0 } = kinds.Application ?? {};
    expect(created).toBeGreaterThan(0);
    expect(created + kept).toBe(600);
    expect(await applications()).toHaveLength(600);
  },
  timeout,
);

test(
  'an object that the API server will never take is listed, and the others are restored',
  async () => {
    const broken = application('broken', { spec: { destination: 'nowhere' } });
    const secret = { ...someState(site)[1], metadata: { name: 'No Name' } } as StoredObject;
    const index = await site.backUp([secret, application('orders'), broken]);
    await install();
    const { kinds, failures } = await restore(index);
    expect(kinds).toEqual({
      Secret: { expected: 1, created: 0, kept: 0, failed: 1 },
      Application: { expected: 2, created: 1, kept: 0, failed: 1 },
    });
    expect(failures.toSorted((a, b) => b.object.localeCompare(a.object))).toEqual([
      { object: 'Secret No Name', reason: 'the API server answers 422.' },
      { object: 'Application broken', reason: expect.stringContaining('spec.destination') as string },
    ]);
  },
  timeout,
);

test(
  'Argo CD is started as its manifest says and told to look at everything anew; what comes late changes nothing',
  async () => {
    const index = await site.backUp(someState(site));
    await install();
    await restore(index);
    const { run, target } = recreation;
    const { startArgoCd, finishRecreation } = site.activities;
    const nodes = standInForNodes();
    const { startedAt } = await run(startArgoCd, target);
    expect(Math.abs(Date.parse(startedAt) - Date.now())).toBeLessThan(timeout);
    for (const workload of [
      ...(await list(path('deployments', '/apis/apps/v1'))),
      ...(await list(path('statefulsets', '/apis/apps/v1'))),
    ]) {
      expect(workload.spec.replicas).toBe(1);
    }
    for (const { metadata, spec } of await applications()) {
      expect(metadata.annotations).toEqual({ 'argocd.argoproj.io/refresh': 'hard' });
      expect(spec.syncPolicy?.automated).toEqual({ prune: true, enabled: false });
    }
    expect(await run(startArgoCd, target)).toEqual({ startedAt });
    await nodes.leave();

    // Argo CD works with what was restored, and people do.
    await plane.kubernetes.delete(path('applications/payments'));
    await plane.kubernetes.patch(path('applications/orders'), { spec: { project: 'other' } });
    expect(await restore(index)).toEqual({ kinds: {}, failures: [] });
    await install();
    expect(await plane.kubernetes.get(path('applications/orders'))).toMatchObject({
      spec: { project: 'other' },
    });
    const [controller] = await list(path('statefulsets', '/apis/apps/v1'));
    expect(controller?.spec.replicas).toBe(1);

    await run(finishRecreation, target);
    expect(await plane.kubernetes.get(path('configmaps/gitops-recreation', '/api/v1'))).toBeUndefined();
    expect((await applications()).length).toBeGreaterThan(2);
    await run(finishRecreation, target);
    await expect(restore(index)).rejects.toThrow(/is not noted as one that is being built/);
  },
  timeout,
);

/** Says of every workload that its pods are ready, as controllers and nodes would. */
function standInForNodes() {
  const leaving = new AbortController();
  const working = (async () => {
    while (!leaving.signal.aborted) {
      for (const kind of ['deployments', 'statefulsets']) {
        for (const { metadata, spec } of await list(path(kind, '/apis/apps/v1'))) {
          const { replicas } = spec;
          const ready = { replicas, updatedReplicas: replicas, readyReplicas: replicas };
          const status = { observedGeneration: 1000, ...ready };
          await plane.kubernetes.patch(path(`${kind}/${metadata.name}/status`, '/apis/apps/v1'), { status });
        }
      }
      await setTimeout(200);
    }
  })();
  return {
    async leave() {
      leaving.abort();
      await working;
    },
  };
}
