import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { verificationKey } from '../src/model/recovery/backup.ts';
import type { RecreationReport } from '../src/model/recovery/recreation.ts';
import { configMap, deployment, slowHook } from './support/argocd.ts';
import { configuration } from './support/configuration.ts';
import { makeRecreationBed, newBedId, type RecreationBed } from './support/recreation.ts';

const timeout = 180_000;
const version = (name: string, number: number) => configMap(name, { version: `${number}` });

const platform = (id: string, recreation: object = {}) =>
  configuration({
    environments: [
      { name: 'dev', application: `${id}-{service}-{environment}` },
      { name: 'production', application: `${id}-{service}-{environment}`, sync: 'manual' },
    ],
    recreation: { healthy: '3m', ...recreation },
  });

async function versionOf(bed: RecreationBed, name: string, namespace = bed.namespace): Promise<string> {
  const path = '-o=jsonpath={.data.version}';
  return bed.kubectl(['get', 'configmap', name, '-n', namespace, path, '--ignore-not-found']);
}

describe('a platform that was restored', () => {
  const id = newBedId();
  const made = `${id}-made`;
  let bed: RecreationBed;
  let approved: string;

  beforeAll(async () => {
    const automated = { prune: true, selfHeal: true };
    bed = await makeRecreationBed(
      id,
      (url) => [
        {
          name: 'root',
          syncPolicy: { automated },
          files: {
            'namespace.json': JSON.stringify({
              apiVersion: 'v1',
              kind: 'Namespace',
              metadata: { name: made, labels: { bed: id } },
            }),
            // Its definition comes with an Application, later.
            'unknown.json': JSON.stringify({
              apiVersion: `${id}.example.com/v1`,
              kind: 'Unknown',
              metadata: { name: 'unknown' },
            }),
            'child.json': JSON.stringify({
              apiVersion: 'argoproj.io/v1alpha1',
              kind: 'Application',
              metadata: { name: `${id}-child`, namespace: 'argocd', labels: { bed: id, written: 'by-git' } },
              spec: {
                project: 'default',
                source: { repoURL: url, path: 'apps/child', targetRevision: 'main' },
                destination: { server: 'https://kubernetes.default.svc', namespace: made },
              },
            }),
          },
        },
        {
          name: 'definitions',
          wave: 1,
          files: { 'crd.json': JSON.stringify(definition(`${id}.example.com`)) },
          syncPolicy: { retry: { limit: 2 } },
        },
        {
          name: 'child',
          wave: -1,
          root: 'root',
          namespace: made,
          syncPolicy: { automated, retry: { limit: 3 } },
          files: { 'c.json': version('child', 1) },
        },
        { name: 'api-production', wave: 1, files: { 'c.json': version('api', 1) } },
        { name: 'web-production', wave: 1, files: { 'c.json': version('web', 1) } },
        {
          name: 'double',
          wave: 1,
          sources: ['one', 'two'],
          files: { 'one/c.json': version('one', 1), 'two/c.json': version('two', 1) },
        },
        { name: 'new-production', wave: 1, neverRan: true, files: { 'c.json': version('new', 1) } },
      ],
      () => platform(id),
    );
    approved = await bed.gitea.write({ 'apps/api-production/c.json': version('api', 2) });
    await bed.gitea.write({
      'apps/api-production/c.json': version('api', 3),
      'apps/web-production/c.json': version('web', 3),
      'apps/double/two/c.json': version('two', 3),
    });
    bed.remember('production', 'api', approved);
  }, timeout);
  afterAll(() => bed.remove(), timeout);

  const wave = (number: number | 'roots') => {
    const { target, key, startedAt, activities } = bed;
    return bed.run(() => activities.syncWave({ ...target, key, startedAt, wave: number }));
  };
  const report = async (drill = false) => {
    const { target, soFar, startedAt } = bed;
    const input = { ...target, drill, soFar: { ...soFar, drill }, ...(!drill && { startedAt }) };
    return bed.run(() => bed.activities.reportRecreation(input));
  };
  const stored = (key: string): RecreationReport => JSON.parse(bed.objects.get(key) ?? '');

  test(
    'first gets what its roots hold beside Applications, also where one kind is not known yet',
    { timeout },
    async () => {
      const { target, key, startedAt, activities } = bed;
      const frame = () => bed.run(() => activities.syncFrame({ ...target, key, startedAt }));
      expect(await frame()).toEqual({ applications: 1, healthy: 1 });
      expect(await bed.kubectl(['get', 'namespace', made, '-o=name'])).toBe(`namespace/${made}`);
      expect((await bed.application('child')).metadata.labels).not.toHaveProperty('written');
      expect((await bed.application('root')).status.history).toHaveLength(1);
    },
  );

  test(
    'gets its Applications back at what was let in last, never at the head of the branch',
    { timeout },
    async () => {
      expect(await wave(-1)).toEqual({ applications: 1, healthy: 1 });
      expect(await versionOf(bed, 'child', made)).toBe('1');
      expect(await wave(1)).toEqual({ applications: 4, healthy: 4 });
      expect([await versionOf(bed, 'api'), await versionOf(bed, 'web')]).toEqual(['2', '1']);
      expect([await versionOf(bed, 'one'), await versionOf(bed, 'two')]).toEqual(['1', '1']);
      expect(await versionOf(bed, 'new')).toBe('');
    },
  );

  test('is not synced again by an attempt that comes after another', { timeout }, async () => {
    expect(await wave(1)).toEqual({ applications: 4, healthy: 4 });
    expect((await bed.application('api-production')).status.history).toHaveLength(2);
  });

  test(
    'gets its roots at the end, and then what synced by itself before does again',
    { timeout },
    async () => {
      const { target, key, activities } = bed;
      const automation = (of: 'others' | 'roots') =>
        bed.run(() => activities.restoreAutomation({ ...target, key, of }));
      const automated = async (name: string) => (await bed.application(name)).spec.syncPolicy?.automated;
      const held = { prune: true, selfHeal: true, enabled: false };
      expect([await automated('child'), await automated('root')]).toEqual([held, held]);
      expect(await automation('others')).toEqual({ applications: 1 });
      expect([await automated('child'), await automated('root')]).toEqual([
        { prune: true, selfHeal: true },
        held,
      ]);
      expect(await wave('roots')).toEqual({ applications: 1, healthy: 1 });
      expect((await bed.application('child')).metadata.labels).toMatchObject({ written: 'by-git' });
      expect(await automation('roots')).toEqual({ applications: 1 });
      expect(await automation('roots')).toEqual({ applications: 1 });
      expect(await automated('root')).toEqual({ prune: true, selfHeal: true });
    },
  );

  test('is not told to sync by itself where a person said otherwise meanwhile', { timeout }, async () => {
    const { target, key, activities } = bed;
    const patch = { spec: { syncPolicy: { automated: { prune: false, enabled: false } } } };
    await bed.kubectl([
      'patch',
      'application',
      '-n',
      'argocd',
      bed.named('child'),
      '--type=merge',
      '-p',
      JSON.stringify(patch),
    ]);
    await bed.run(() => activities.restoreAutomation({ ...target, key, of: 'others' }));
    const { spec } = await bed.application('child');
    expect(spec.syncPolicy?.automated).toMatchObject({ prune: false, enabled: false });
    await bed.kubectl([
      'patch',
      'application',
      '-n',
      'argocd',
      bed.named('child'),
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { syncPolicy: { automated: null } } }),
    ]);
  });

  test('is reported to programs and to people, once', { timeout }, async () => {
    const outcome = await report();
    expect(outcome).toMatchObject({
      passed: true,
      summary: expect.stringMatching(/^All of it is back: 7 Applications/),
    });
    expect(await report()).toEqual(outcome);
    expect(stored(outcome.report)).toMatchObject({
      state: 'succeeded',
      differing: [],
      leftOut: [{ what: 'sealing keys' }],
      applications: expect.arrayContaining([
        expect.objectContaining({
          name: bed.named('api-production'),
          state: 'recovered',
          sync: 'OutOfSync',
          runs: [approved],
        }),
        expect.objectContaining({ name: bed.named('new-production'), state: 'never-ran', runs: [] }),
      ]),
    });
    const text = bed.objects.get(outcome.report.replace('.json', '.md'));
    expect(text).toContain('**Passed.**');
    expect(text).toMatch(new RegExp(`had never run\n\n.*${bed.named('new-production')}`));
    expect(bed.backups.has(verificationKey(bed.key))).toBe(false);
  });

  test(
    'is said to run something else than its environment remembers, where it does',
    { timeout },
    async () => {
      bed.remember('production', 'web', approved);
      const outcome = await report();
      expect(outcome.passed).toBe(false);
      expect(stored(outcome.report).differing).toEqual([
        {
          environment: 'production',
          service: 'web',
          remembered: `web/${approved}`,
          runs: bed.revision.slice(0, 12),
        },
      ]);
    },
  );

  test('proves its backup in a drill, which checks that all of it is there', { timeout }, async () => {
    const outcome = await report(true);
    expect(outcome.passed).toBe(true);
    expect(bed.objects.get(outcome.report.replace('.json', '.md'))).toContain(
      '## What a drill does not check',
    );
    const verification: unknown = JSON.parse(String(bed.backups.get(verificationKey(bed.key))));
    expect(verification).toMatchObject({ state: 'good', provenAt: expect.any(String) });
  });
});

describe('in trouble', () => {
  const id = newBedId();
  let bed: RecreationBed;

  beforeAll(async () => {
    bed = await makeRecreationBed(
      id,
      () => [
        { name: 'good', files: { 'c.json': version('good', 1) } },
        {
          name: 'sick',
          files: {
            'd.json': deployment('sick', 'true', {
              image: 'localhost:5000/nobody/nothing',
              progressDeadlineSeconds: 10,
            }),
          },
        },
        { name: 'away', url: 'http://127.0.0.1:9/nobody/nothing.git', files: {} },
        { name: 'hangs', files: { 'c.json': version('hangs', 1), 'h.json': slowHook('hangs', 600) } },
        { name: 'busy', wave: 1, files: { 'c.json': version('busy', 1), 'h.json': slowHook('busy', 3) } },
        ...[1, 2, 3, 4, 5, 6].map((number) => ({
          name: `many-${number}`,
          wave: 2,
          files: { 'c.json': version(`many-${number}`, 1), 'h.json': slowHook(`many-${number}`, 1) },
        })),
      ],
      () => platform(id, { healthy: '45s', parallel: 2 }),
    );
    await bed.gitea.write({ 'apps/hangs/c.json': version('hangs', 2) });
  }, timeout);
  afterAll(() => bed.remove(), timeout);

  const syncing = (wave: number) => {
    const { target, key, startedAt, activities } = bed;
    return () => activities.syncWave({ ...target, key, startedAt, wave });
  };

  test(
    'one that can never be healthy, one that hangs and one whose repository is away stop nobody',
    { timeout },
    async () => {
      expect(await bed.run(syncing(0))).toEqual({ applications: 4, healthy: 1 });
      expect(await versionOf(bed, 'good')).toBe('1');
      await vi.waitFor(async () => {
        for (const name of ['away', 'hangs']) {
          const { operation, status } = await bed.application(name);
          expect(operation).toBeUndefined();
          expect(['Failed', 'Error']).toContain(status.operationState?.phase);
        }
      }, 120_000);
    },
  );

  test('each of them is reported with the reason, and what to do', { timeout }, async () => {
    const { target, soFar, startedAt, activities } = bed;
    const { report, passed, summary } = await bed.run(() =>
      activities.reportRecreation({ ...target, soFar, startedAt }),
    );
    expect(passed).toBe(false);
    expect(summary).toMatch(/10 of 11 Applications are not back/);
    const text = bed.objects.get(report.replace('.json', '.md')) ?? '';
    expect(text).toMatch(new RegExp(`argocd/${bed.named('sick')}[^]*?(ImagePullBackOff|ErrImagePull)`));
    expect(text).toMatch(new RegExp(`argocd/${bed.named('away')}[^]*?(refused|failed to list refs)`));
    expect(text).toMatch(/argocd app sync NAME --revision REVISION/);
  });

  test('somebody’s operation ends first', { timeout }, async () => {
    const operation = { initiatedBy: { username: 'somebody' }, sync: { revision: bed.revision } };
    await bed.kubectl([
      'patch',
      'application',
      '-n',
      'argocd',
      bed.named('busy'),
      '--type=merge',
      '-p',
      JSON.stringify({ operation }),
    ]);
    expect(await bed.run(syncing(1))).toEqual({ applications: 1, healthy: 1 });
    expect((await bed.application('busy')).status.history).toHaveLength(3);
  });

  test('an attempt that dies in the middle, and two at once, sync nothing twice', { timeout }, async () => {
    const dying = bed.environment();
    const heard: unknown[] = [];
    dying.on('heartbeat', (details) => heard.push(details));
    const first = dying.run(syncing(2)).catch((error: unknown) => error);
    await vi.waitFor(() => expect(heard).toContainEqual({ done: 1, of: 6, what: 'Applications' }), 60_000);
    dying.cancel();
    expect(await first).toBeInstanceOf(Error);

    const results = await Promise.all([bed.run(syncing(2)), bed.run(syncing(2))]);
    expect(results).toEqual([1, 2].map(() => ({ applications: 6, healthy: 6 })));
    for (let number = 1; number <= 6; number += 1) {
      expect((await bed.application(`many-${number}`)).status.history).toHaveLength(2);
    }
  });

  test('an attempt whose recreation is over starts nothing', { timeout }, async () => {
    const late = bed.environment('over');
    const { target, key, startedAt, activities } = bed;
    const recreation = 'another';
    expect(
      await late.run(() => activities.syncWave({ ...target, recreation, key, startedAt, wave: 1 })),
    ).toEqual({ applications: 1, healthy: 0 });
    expect((await bed.application('busy')).status.history).toHaveLength(3);
  });
});

const definition = (group: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `unknowns.${group}` },
  spec: {
    group,
    names: { kind: 'Unknown', plural: 'unknowns' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
});
