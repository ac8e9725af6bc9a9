import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { heldBack } from '../src/model/recovery/automation.ts';
import { canonicalJson } from '../src/model/json.ts';
import { exportArgoCd } from '../src/systems/argocd/export.ts';
import {
  makeSite,
  someState,
  type OpenRecreation,
  type Site,
  type StoredObject,
} from './support/building-site.ts';
import { startControlPlane, type ControlPlane } from './support/control-plane.ts';

const timeout = 60_000;

let plane: ControlPlane;
let site: Site;

beforeAll(async () => {
  plane = await startControlPlane();
}, 2 * timeout);
afterAll(() => plane.remove());

beforeEach(async () => {
  // What is never touched: the stack's own cluster.
  site = await makeSite({ lost: process.env['KUBECONFIG'] ?? '', scratch: plane.kubeconfig });
});
afterEach(() => site.remove());

async function check({ run, target }: OpenRecreation, key?: string) {
  return run(site.activities.checkRecreation, {
    ...target,
    allowOlder: false,
    ...(key !== undefined && { key }),
  });
}

/** Of what a drill may leave: namespaces, definitions, roles, sealing keys. */
async function everything(): Promise<string[]> {
  const paths = [
    '/api/v1/namespaces',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    '/api/v1/secrets',
    '/api/v1/configmaps',
  ];
  const lists = (await Promise.all(paths.map((path) => plane.kubernetes.get(path)))) as {
    kind: string;
    items: { metadata: { name: string; namespace?: string } }[];
  }[];
  return lists
    .flatMap(({ kind, items }) =>
      items.map(({ metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`),
    )
    .toSorted();
}

const idOf = ({ kind, metadata }: StoredObject): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** What another backup of it would hold, against what is to be there. */
async function exported(): Promise<Record<string, string>> {
  const { namespace } = site.config.argocd;
  const lines: [string, string][] = [];
  for await (const found of exportArgoCd(plane.kubernetes, { namespace, sealingKeys: `${namespace}-keys` })) {
    if ('line' in found) lines.push([idOf(JSON.parse(found.line) as StoredObject), found.line]);
  }
  return Object.fromEntries(lines);
}

function held(objects: StoredObject[], { target }: OpenRecreation): Record<string, string> {
  const labelled = (object: StoredObject): StoredObject => {
    const { metadata } = object;
    if (metadata.namespace === undefined) return object;
    const labels = { ...(metadata['labels'] as object), 'gitops-recreation': target.recreation };
    return { ...object, metadata: { ...metadata, labels } };
  };
  return Object.fromEntries(
    objects.map((object) => [idOf(object), canonicalJson(heldBack(labelled(object)))]),
  );
}

const replicas = async (kind: string): Promise<number[]> => {
  const list = await plane.kubernetes.get(`/apis/apps/v1/namespaces/${site.plan.id}/${kind}`);
  return (list as { items: { spec: { replicas: number } }[] }).items.map(({ spec }) => spec.replicas);
};

test(
  'a drill restores all of a backup and runs nothing of it, takes all of that away, and so does the next one',
  async () => {
    const before = await everything();
    const objects = someState(site);
    await site.backUp(objects);
    for (let drills = 0; drills < 2; drills += 1) {
      const drill = await site.open({ drill: true });
      const { run, target } = drill;
      const { installArgoCd, restoreBackup, startArgoCd, finishRecreation } = site.activities;
      const { backup, waves, roots } = await check(drill);
      expect({ waves, roots }).toEqual({ waves: [{ wave: 0, applications: 4 }], roots: 0 });
      expect((await run(installArgoCd, target)).objects).toBeGreaterThan(20);
      const { kinds, failures } = await run(restoreBackup, { ...target, key: backup.key });
      expect(failures).toEqual([]);
      expect(kinds.Application).toEqual({ expected: 4, created: 4, kept: 0, failed: 0 });
      expect(kinds.ApplicationSet).toMatchObject({ expected: 1, created: 1 });
      expect(kinds.Secret).toMatchObject({ expected: 3, created: 3 });
      expect(await exported()).toMatchObject(held(objects, drill));
      await run(startArgoCd, target);
      expect(new Set([...(await replicas('deployments')), ...(await replicas('statefulsets'))])).toEqual(
        new Set([0]),
      );

      await run(finishRecreation, target);
      expect(await everything()).toEqual(before);
      await run(finishRecreation, target);
      await drill.terminate();
    }
  },
  2 * timeout,
);

test(
  'what a drill left that died is taken away by the next one; one that is under way is left alone',
  async () => {
    const before = await everything();
    await site.backUp(someState(site, ['orders', 'gone-since']));
    const dead = await site.open({ drill: true });
    const { key } = (await check(dead)).backup;
    await dead.run(site.activities.installArgoCd, dead.target);
    await dead.run(site.activities.restoreBackup, { ...dead.target, key });

    const next = await site.open({ drill: true });
    await expect(check(next)).rejects.toThrow(/is being built already/);
    await expect(next.run(site.activities.installArgoCd, next.target)).rejects.toThrow(
      /is being built already/,
    );
    await next.run(site.activities.finishRecreation, next.target);
    const still = await dead.run(site.activities.restoreBackup, { ...dead.target, key });
    expect(still.kinds.Application).toEqual({ expected: 4, created: 0, kept: 4, failed: 0 });

    await dead.terminate();
    await expect(dead.run(site.activities.finishRecreation, dead.target)).rejects.toThrow(
      /not open any more/,
    );
    const objects = someState(site, ['orders']);
    const newer = await site.backUp(objects, { createdAt: new Date().toISOString() });
    await check(next, newer.key);
    await next.run(site.activities.installArgoCd, next.target);
    await next.run(site.activities.restoreBackup, { ...next.target, key: newer.key });
    const names = Object.keys(await exported());
    expect(names).toContain('Application /orders');
    expect(names).not.toContain('Application /gone-since');
    await next.run(site.activities.finishRecreation, next.target);
    expect(await everything()).toEqual(before);
  },
  2 * timeout,
);

test(
  'a drill goes nowhere but into an empty control plane that is not the cluster itself',
  async () => {
    await site.backUp(someState(site));
    const same = await makeSite({ lost: plane.kubeconfig });
    const drill = await same.open({ drill: true });
    const asked = { ...drill.target, allowOlder: false };
    await expect(drill.run(same.activities.checkRecreation, asked)).rejects.toThrow(/names site-\w+ itself/);
    await same.remove();

    const into = await site.open({ drill: true });
    const { id } = site.plan;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: id } };
    await plane.kubernetes.post('/api/v1/namespaces', namespace);
    await expect(check(into)).rejects.toThrow(/has a namespace site-\w+, which no drill made/);
    await into.run(site.activities.finishRecreation, into.target);
    expect(await plane.kubernetes.get(`/api/v1/namespaces/${id}`)).toMatchObject({
      status: { phase: 'Active' },
    });
    await plane.kubernetes.delete(`/api/v1/namespaces/${id}`);
    const finalized = { ...namespace, spec: { finalizers: [] } };
    await plane.kubernetes.put(`/api/v1/namespaces/${id}/finalize`, finalized);
    await check(into);
  },
  timeout,
);
