import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { applicationName } from '../src/config/environments.ts';
import { changeName } from '../src/model/delivery/change.ts';
import type { Image } from '../src/model/delivery/change.ts';
import { objectKeys } from '../src/model/object-keys.ts';
import { makeImage } from './support/images.ts';
import {
  configMap,
  deployment,
  makeBed,
  newOperationId,
  slowHook,
  soon,
  type Bed,
  type Written,
} from './support/argocd.ts';

const services = [
  'works',
  'moves',
  'breaks',
  'bakes',
  'crashes',
  'image',
  'appears',
  'absent',
  'nowhere',
  'cancels',
  'syncs',
  'busy',
  'lost',
  'hangs',
  'prunes',
  'frozen',
  'wrong',
  'forged',
  'renders',
  'over',
  'scales',
  'rests',
  'pauses',
  'sources',
  'misplaced',
  'retries',
  'retried',
  'fixes',
  'drifts',
  'withdrawn',
  'closed',
  'pinned',
  'meddled',
  'kept',
  'abroad',
];
let bed: Bed;

beforeAll(async () => {
  bed = await makeBed(services);
  return () => bed.remove();
});

const minute = 60_000;
const how = { prune: true, retries: 0, reason: 'test' };
/** One that becomes healthy does so within seconds, and within a minute where others keep the machine busy. */
const dev = (service: string, { revision, tree, release }: Written, ms = 3 * minute) => ({
  environment: 'dev',
  service,
  revision,
  tree,
  release,
  deadline: soon(ms),
});
const production = (service: string, written: Written, operationId: string) => ({
  ...dev(service, written),
  environment: 'production',
  operationId,
  asker: bed.asker,
});

/** Refused by the cluster, and tried again later than anybody waits. */
const refusedByCluster = (name: string) => ({
  's.json': JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'Nonsense' },
  }),
});
const slowRetries = {
  syncPolicy: {
    automated: { prune: true },
    retry: { limit: 9, backoff: { duration: '10m', maxDuration: '1h' } },
  },
};
const retrying = { phase: 'Running', finishedAt: expect.any(Number) };

/** Until its operation says so. */
const untilSaid = (name: string, what: string) =>
  vi.waitFor(
    async () => expect((await bed.argocd.application(name))?.operation?.message).toContain(what),
    untilSeen,
  );

/** Five at a time share the machine; what is stuck in one is told by the deadlines of its waits, which end before this. */
const together = { timeout: 8 * minute };
/** What Argo CD and the cluster do is looked at until it holds: then the deadline of a wait may be short. */
const untilSeen = { timeout: 2 * minute, interval: 500 };

describe.concurrent('where Argo CD syncs by itself', together, () => {
  test('a release that was pushed is synced at once and becomes healthy', async () => {
    await bed.service('works', 'dev', { 'd.json': deployment('works', 'sleep infinity') });
    await bed.application('works', 'dev');
    const written = await bed.promote('works', 'dev');
    const healthy = { state: 'healthy', health: 'Healthy', sync: 'Synced' };
    expect(await bed.wait(dev('works', written))).toMatchObject(healthy);
    expect(
      await bed.kubectl(['get', 'pods', '-n', bed.namespace('dev'), '-l', 'app=works', '-o', 'name']),
    ).toContain('pod/');
  });

  test('other services’ commits do not matter, another release of the same one does', async () => {
    await bed.service('moves', 'dev', { 'c.json': configMap('moves', { version: '1' }) });
    await bed.application('moves', 'dev');
    const first = await bed.promote('moves', 'dev');
    await bed.commit({ 'elsewhere/file': 'x' });
    const healthy = await bed.wait(dev('moves', first));
    expect(healthy.state).toBe('healthy');

    await bed.commit({ 'deploy/moves/base/more.txt': 'x' });
    const second = await bed.promote('moves', 'dev');
    expect(await bed.wait(dev('moves', second))).toMatchObject({ state: 'healthy' });
    expect(await bed.wait(dev('moves', first))).toMatchObject({ state: 'overtaken' });
  });

  test('an Application that is made later is waited for', async () => {
    await bed.service('appears', 'dev', { 'c.json': configMap('appears', {}) });
    const waiting = bed.wait(dev('appears', await bed.promote('appears', 'dev')));
    await bed.application('appears', 'dev');
    expect(await waiting).toMatchObject({ state: 'healthy' });
  });

  test('an Application that nobody makes is named at the deadline', async () => {
    await bed.service('absent', 'dev', { 'c.json': configMap('absent', {}) });
    const written = await bed.promote('absent', 'dev');
    expect(await bed.wait({ ...dev('absent', written), deadline: soon(3000) })).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/absent-dev-.* waited for the Application to be created/),
    });
  });

  test('an image that cannot be pulled fails with what the pod says', async () => {
    await bed.service('image', 'dev', {
      'd.json': deployment('image', 'true', {
        image: 'localhost:5000/argocd-test/nothing:1',
        progressDeadlineSeconds: 10,
      }),
    });
    await bed.application('image', 'dev');
    const result = await bed.wait(dev('image', await bed.promote('image', 'dev')));
    expect(result).toMatchObject({ state: 'failed', health: 'Degraded' });
    expect('reason' in result && result.reason).toMatch(
      /exceeded its progress deadline[^]*(ImagePullBackOff|ErrImagePull)/,
    );
  });

  test('a pod that is healthy for an instant and then crashes fails with its exit code and the end of its log', async () => {
    const command = 'echo cannot reach the database; sleep 1; exit 7';
    await bed.service('crashes', 'staging', {
      'd.json': deployment('crashes', command, { progressDeadlineSeconds: 10 }),
    });
    const name = await bed.application('crashes', 'staging');
    const written = await bed.promote('crashes', 'staging');
    const restarts = 'jsonpath={.items[*].status.containerStatuses[*].restartCount}';
    const pods = ['get', 'pods', '-n', bed.namespace('staging'), '-l', 'app=crashes', '-o', restarts];
    await vi.waitFor(
      async () => {
        await bed.argocd.refresh(name);
        expect(Number(await bed.kubectl(pods))).toBeGreaterThan(0);
      },
      { timeout: 2 * minute, interval: 2000 },
    );
    // Shorter than the bake time.
    const deadline = soon(15_000);
    const result = await bed.wait({ ...dev('crashes', written), environment: 'staging', deadline });
    expect(result).toMatchObject({ state: 'failed' });
    if (result.state !== 'failed') throw new Error(result.state);
    const [key = ''] = result.logs ?? [];
    expect(result.reason).toMatch(new RegExp(`Pod crashes-[^]*exit code 7[^]*its log: ${key}`));
    expect(result.reason).not.toContain('cannot reach');
    expect(bed.objects.get(key)).toMatch(/cannot reach the database$/);
  });

  test('what was seen to be healthy before the worker was replaced counts for the bake', async () => {
    await bed.service('bakes', 'staging', { 'c.json': configMap('bakes', {}) });
    await bed.application('bakes', 'staging');
    const wait = { ...dev('bakes', await bed.promote('bakes', 'staging')), environment: 'staging' };
    const first = bed.environment();
    const healthySince = new Promise<number>((resolve) => {
      first.on('heartbeat', (progress: { healthySince?: number }) => {
        if (progress.healthySince !== undefined) resolve(progress.healthySince);
      });
    });
    const waiting = first.run(bed.activities.awaitHealthy, wait);
    const since = await Promise.race([healthySince, waiting.then(() => expect.fail('It did not bake.'))]);
    first.cancel('WORKER_SHUTDOWN');
    await expect(waiting).rejects.toThrow();
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(since + 20_000), { timeout: minute });
    const second = bed.environment(Date.now(), { waitsFor: 'it to stay healthy', healthySince: since });
    // Too short for all of it.
    const late = { ...wait, deadline: soon(1000) };
    expect(await second.run(bed.activities.awaitHealthy, late)).toMatchObject({ state: 'healthy' });
  });

  test('manifests that the cluster refuses fail with its words', async () => {
    const bad = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'breaks' },
      spec: { type: 'Nonsense' },
    });
    await bed.service('breaks', 'dev', { 's.json': bad });
    await bed.application('breaks', 'dev', {
      syncPolicy: { automated: {}, retry: { limit: 1, backoff: { duration: '1s' } } },
    });
    const result = await bed.wait(dev('breaks', await bed.promote('breaks', 'dev')));
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining('Nonsense') });
  });

  test('an autoscaler without metrics is waited for until the deadline, which names it and what it lacks', async () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scales' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scales' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
    };
    await bed.service('scales', 'dev', {
      'd.json': deployment('scales', 'sleep infinity'),
      'h.json': JSON.stringify(autoscaler),
    });
    const name = await bed.application('scales', 'dev');
    const written = await bed.promote('scales', 'dev');
    const environment = bed.environment();
    const waitedFor: string[] = [];
    environment.on('heartbeat', (beat: { waitsFor: string }) => waitedFor.push(beat.waitsFor));
    const deadline = soon(1.5 * minute);
    const result = await environment.run(bed.activities.awaitHealthy, {
      ...dev('scales', written),
      deadline,
    });
    expect(waitedFor).toContainEqual(
      expect.stringMatching(/^health \(Degraded: HorizontalPodAutoscaler\/scales in /),
    );
    expect(result).toMatchObject({
      state: 'failed',
      health: 'Degraded',
      reason: expect.stringMatching(
        /^Not healthy in time: [^]*HorizontalPodAutoscaler\/scales in .*: Degraded: .*metric/,
      ),
    });
    // Where Argo CD does not keep it in the Application, the cluster says the same.
    expect(await bed.argocd.troubledResources(name)).toMatchObject([
      { kind: 'HorizontalPodAutoscaler', name: 'scales', health: { status: 'Degraded' } },
    ]);
  });

  // Alone: a commit of another service makes Argo CD sync, which puts replicas back.
  test(
    'what is never in sync after a sync that succeeded is told by object and field',
    { concurrent: false },
    async () => {
      const autoscaled = deployment('drifts', 'sleep infinity');
      await bed.service('drifts', 'dev', {
        'd.json': JSON.stringify({
          ...JSON.parse(autoscaled),
          spec: { ...JSON.parse(autoscaled).spec, replicas: 1 },
        }),
      });
      // As where an autoscaler writes replicas: Argo CD puts nothing back.
      await bed.application('drifts', 'dev', { syncPolicy: { automated: { prune: true } } });
      const written = await bed.promote('drifts', 'dev');
      expect(await bed.wait(dev('drifts', written))).toMatchObject({ state: 'healthy' });
      await bed.kubectl(['scale', '-n', bed.namespace('dev'), 'deployment/drifts', '--replicas=2']);
      await vi.waitFor(
        async () =>
          expect(await bed.argocd.application(applicationName(bed.config, 'drifts', 'dev'))).toMatchObject({
            sync: { status: 'OutOfSync' },
          }),
        untilSeen,
      );
      expect(await bed.wait({ ...dev('drifts', written), deadline: soon(3000) })).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(
          /waited for Argo CD to sync \(OutOfSync: Deployment\/drifts in [^]*spec.replicas is 2, and 1 was applied[^]*RespectIgnoreDifferences/,
        ),
      });
    },
  );

  test('a Job and a CronJob that are suspended on purpose hold up nobody', async () => {
    const pod = {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'a', image: 'debian:bookworm-slim', command: ['true'] }],
      },
    };
    const job = { metadata: { name: 'rests' }, spec: { suspend: true, template: pod } };
    await bed.service('rests', 'dev', {
      'j.json': JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', ...job }),
      'c.json': JSON.stringify({
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'rests' },
        spec: { suspend: true, schedule: '0 0 1 1 *', jobTemplate: { spec: { template: pod } } },
      }),
    });
    await bed.application('rests', 'dev');
    expect(await bed.wait(dev('rests', await bed.promote('rests', 'dev')))).toMatchObject({
      state: 'healthy',
    });
  });

  test('a Deployment that is paused fails by name, with how to resume it', async () => {
    const paused = { ...JSON.parse(deployment('pauses', 'sleep infinity')) };
    paused.spec.paused = true;
    await bed.service('pauses', 'dev', { 'd.json': JSON.stringify(paused) });
    await bed.application('pauses', 'dev');
    expect(await bed.wait(dev('pauses', await bed.promote('pauses', 'dev'), 2 * minute))).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^Deployment\/pauses in .* is paused.*rollout resume deployment\/pauses/),
    });
  });

  test('an Application that cannot be delivered through fails at once, with what to change', async () => {
    await bed.service('sources', 'dev', { 'c.json': configMap('sources', {}) });
    const written = await bed.promote('sources', 'dev');
    const source = {
      repoURL: bed.config.repository.url,
      path: 'deploy/sources/overlays/dev',
      targetRevision: 'main',
    };
    const { path, ...dry } = source;
    const hydrator = {
      drySource: { ...dry, path },
      syncSource: { targetBranch: 'environments/dev', path: 'sources' },
    };
    for (const [spec, told] of [
      [{ source: undefined, sources: [source] }, /has no single source: .* instead of spec.sources/],
      [
        { source: undefined, sourceHydrator: hydrator },
        /has no single source: .* instead of spec.sourceHydrator/,
      ],
      [{ source: { ...source, plugin: { name: 'fill-in' } } }, /renders .* by spec.source.plugin/],
      [{ source: { ...source, helm: { valueFiles: ['values.yaml'] } } }, /renders .* by spec.source.helm/],
      [{ source: { ...source, directory: { recurse: true } } }, /renders .* by spec.source.directory/],
      [{ source: { ...source, targetRevision: 'release' } }, /follows release, not main/],
    ] as const) {
      const name = await bed.application('sources', 'dev', spec);
      await vi.waitFor(
        async () => {
          const result = await bed.wait(dev('sources', written, minute));
          expect(result).toMatchObject({ state: 'failed', reason: expect.stringMatching(told) });
        },
        { timeout: 2 * minute },
      );
      await bed.kubectl(['delete', 'application', '-n', 'argocd', name]);
    }
  });

  test('an Application that lies in another namespace fails at once, with where it is', async () => {
    await bed.service('misplaced', 'dev', { 'c.json': configMap('misplaced', {}) });
    const written = await bed.promote('misplaced', 'dev');
    await bed.kubectl(['apply', '-f', '-'], {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: applicationName(bed.config, 'misplaced', 'dev'), namespace: bed.namespace('dev') },
      spec: {
        project: 'default',
        source: {
          repoURL: bed.config.repository.url,
          path: 'deploy/misplaced/overlays/dev',
          targetRevision: 'main',
        },
        destination: { server: 'https://kubernetes.default.svc', namespace: bed.namespace('dev') },
      },
    });
    expect(await bed.wait(dev('misplaced', written))).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(
        new RegExp(
          `^Application misplaced-dev-.* lies in namespace ${bed.namespace('dev')}, not in argocd.*applicationNamespace`,
        ),
      ),
    });
  });

  async function fixedRelease(service: string): Promise<Written> {
    await bed.commit({ [`deploy/${service}/base/s.json`]: configMap(service, {}) }, 'update');
    return bed.promote(service, 'dev');
  }

  test.each([
    { service: 'retries', by: 'this program', late: 0 },
    { service: 'retried', by: 'Argo CD', late: minute },
  ])(
    'a failed promotion ends the retries of the sync that $by started, and its fix goes on',
    async ({ service, late }) => {
      await bed.service(service, 'dev', refusedByCluster(service));
      const name = await bed.application(service, 'dev', slowRetries);
      const broken = await bed.promote(service, 'dev');
      const waiting = bed
        .environment(Date.now() - late)
        .run(bed.activities.awaitHealthy, dev(service, broken, minute));
      await vi.waitFor(
        async () => expect((await bed.argocd.application(name))?.operation).toMatchObject(retrying),
        { timeout: minute },
      );
      expect(await waiting).toMatchObject({ state: 'failed', reason: expect.stringContaining('Nonsense') });
      await vi.waitFor(async () => {
        const { operation, requested } = (await bed.argocd.application(name)) ?? {};
        expect([operation?.phase, requested]).toEqual(['Failed', undefined]);
      }, untilSeen);
      expect(await bed.wait(dev(service, await fixedRelease(service)))).toMatchObject({ state: 'healthy' });
    },
  );

  test('a fix does not wait for the retries of what it replaces', async () => {
    await bed.service('fixes', 'dev', refusedByCluster('fixes'));
    const name = await bed.application('fixes', 'dev', slowRetries);
    await bed.promote('fixes', 'dev');
    await vi.waitFor(
      async () => {
        await bed.argocd.refresh(name);
        expect((await bed.argocd.application(name))?.operation).toMatchObject(retrying);
      },
      { timeout: 2 * minute, interval: 2000 },
    );
    expect(await bed.wait(dev('fixes', await fixedRelease('fixes')))).toMatchObject({ state: 'healthy' });
  });

  test('a wait that is cancelled ends', async () => {
    await bed.service('cancels', 'dev', { 'c.json': configMap('cancels', {}) });
    const written = await bed.promote('cancels', 'dev');
    const environment = bed.environment();
    const waiting = environment.run(bed.activities.awaitHealthy, dev('cancels', written));
    environment.cancel('CANCELLED');
    await expect(waiting).rejects.toMatchObject({ name: 'CancelledFailure' });
  });
});

describe.concurrent('where a promotion syncs by itself', together, () => {
  test('exactly one revision is synced, once, however often it is asked for', async () => {
    await bed.service('syncs', 'production', { 'c.json': configMap('syncs', {}) });
    const name = await bed.application('syncs', 'production');
    const written = await bed.promote('syncs', 'production');
    await bed.commit({ 'deploy/syncs/overlays/production/later.txt': 'x' });
    const sync = production('syncs', written, newOperationId());
    const started = await Promise.all([bed.sync(sync), bed.sync(sync), bed.sync(sync)]);
    expect(started).toEqual([{ state: 'started' }, { state: 'started' }, { state: 'started' }]);
    expect(await bed.wait(sync)).toMatchObject({ state: 'healthy', revision: written.revision });
    expect(await bed.sync(sync)).toEqual({ state: 'started' });
    const history = await bed.kubectl([
      'get',
      'application',
      '-n',
      'argocd',
      name,
      '-o',
      'jsonpath={.status.history[*].revision}',
    ]);
    expect(history).toBe(written.revision);
  });

  test('another’s operation is waited for, not ended', async () => {
    await bed.service('busy', 'production', {
      'c.json': configMap('busy', {}),
      'h.json': slowHook('busy', 30),
    });
    const name = await bed.application('busy', 'production');
    const written = await bed.promote('busy', 'production');
    await bed.kubectl([
      'patch',
      'application',
      '-n',
      'argocd',
      name,
      '--type=merge',
      '-p',
      JSON.stringify({
        operation: { initiatedBy: { username: 'somebody' }, sync: { revision: written.revision } },
      }),
    ]);
    await vi.waitFor(
      async () => expect((await bed.argocd.application(name))?.operation?.phase).toBe('Running'),
      untilSeen,
    );
    const sync = production('busy', written, newOperationId());
    expect(
      await bed.argocd.startOperation(name, { id: sync.operationId, revisions: [written.revision], ...how }),
    ).toMatchObject({
      state: 'busy',
      by: 'somebody',
    });
    await bed.argocd.terminate(name, { id: sync.operationId });
    await expect(bed.sync(sync)).rejects.toMatchObject({
      type: 'Busy',
      message: `Waits for the operation of somebody on ${name}.`,
      nonRetryable: false,
      category: 'BENIGN',
    });
    await vi.waitFor(async () => expect(await bed.sync(sync)).toEqual({ state: 'started' }), untilSeen);
    expect(await bed.wait(sync)).toMatchObject({ state: 'healthy' });
  });

  test('an operation that was lost is asked for again', async () => {
    await bed.service('lost', 'production', { 'c.json': configMap('lost', {}) });
    const name = await bed.application('lost', 'production');
    const sync = production('lost', await bed.promote('lost', 'production'), newOperationId());
    // As if it had been cleared with the end of another one: it is nowhere to be seen.
    expect(await bed.wait(sync)).toMatchObject({ state: 'healthy' });
    expect((await bed.argocd.application(name))?.operation?.id).toBe(sync.operationId);
  });

  test('at its deadline a promotion says what it waited for and ends its own operation', async () => {
    await bed.service('hangs', 'production', {
      'c.json': configMap('hangs', {}),
      'h.json': slowHook('hangs', 600),
    });
    const name = await bed.application('hangs', 'production');
    const sync = production('hangs', await bed.promote('hangs', 'production'), newOperationId());
    await bed.sync(sync);
    await untilSaid(name, 'hook batch/Job/hangs');
    const result = await bed.wait({ ...sync, deadline: soon(1000) });
    expect(result).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/waiting for completion of hook batch\/Job\/hangs/),
    });
    await vi.waitFor(async () => {
      const { operation, requested } = (await bed.argocd.application(name)) ?? {};
      expect([operation?.id, operation?.phase, requested]).toEqual([sync.operationId, 'Failed', undefined]);
    }, untilSeen);
  });

  test('a promotion that is withdrawn ends the retries of its sync', async () => {
    await bed.service('withdrawn', 'production', refusedByCluster('withdrawn'));
    const { retry } = slowRetries.syncPolicy;
    const name = await bed.application('withdrawn', 'production', { syncPolicy: { retry } });
    const sync = production('withdrawn', await bed.promote('withdrawn', 'production'), newOperationId());
    await bed.sync(sync);
    const environment = bed.environment();
    environment.on('heartbeat', ({ waitsFor }: { waitsFor: string }) => {
      if (waitsFor.startsWith('the sync to be tried again')) environment.cancel('CANCELLED');
    });
    await expect(environment.run(bed.activities.awaitHealthy, sync)).rejects.toMatchObject({
      name: 'CancelledFailure',
    });
    await vi.waitFor(
      async () =>
        expect((await bed.argocd.application(name))?.operation).toMatchObject({
          id: sync.operationId,
          phase: 'Failed',
        }),
      untilSeen,
    );
  });

  test('a prune that needs a confirmation is what it waits for', async () => {
    const confirm = { 'argocd.argoproj.io/sync-options': 'Prune=confirm' };
    await bed.service('prunes', 'production', {
      'a.json': configMap('keep', {}),
      'b.json': configMap('precious', {}, confirm),
    });
    const name = await bed.application('prunes', 'production');
    const first = production('prunes', await bed.promote('prunes', 'production'), newOperationId());
    await bed.sync(first);
    expect(await bed.wait(first)).toMatchObject({ state: 'healthy' });

    // The overlay drops it: to remove it from the cluster takes a person.
    const drop = '{apiVersion: v1, kind: ConfigMap, metadata: {name: precious}, $patch: delete}';
    const overlay = `namespace: ${bed.namespace('production')}\nresources: [release]\npatches: [{patch: "${drop}"}]\n`;
    await bed.commit({ 'deploy/prunes/overlays/production/kustomization.yaml': overlay }, 'update');
    const revision = await bed.repository.tip();
    const second = { ...first, revision, operationId: newOperationId() };
    expect(await bed.sync(second)).toEqual({ state: 'started' });
    await untilSaid(name, 'pruning confirmation');
    const result = await bed.wait({ ...second, deadline: soon(1000) });
    expect(result).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('pruning confirmation of /ConfigMap/precious'),
    });
  });

  test('a sync window that keeps Argo CD from syncing is named at the deadline, also where people may sync', async () => {
    const project = `${bed.namespace('production')}-closed`;
    const window = { kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['cl{os,ear}ed-*'] };
    await bed.kubectl(['apply', '-f', '-'], {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: project, namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        syncWindows: [{ ...window, manualSync: true }],
      },
    });
    await bed.service('closed', 'dev', { 'c.json': configMap('closed', {}) });
    const name = await bed.application('closed', 'dev', { project });
    const written = await bed.promote('closed', 'dev');
    await vi.waitFor(async () => {
      await bed.argocd.refresh(name);
      expect(await bed.argocd.application(name)).toMatchObject({ sync: { status: 'OutOfSync' } });
    }, untilSeen);
    expect(await bed.wait({ ...dev('closed', written), deadline: soon(3000) })).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/The sync window of project .*-closed is closed: deny/),
    });
    expect((await bed.argocd.application(name))?.deployedRevision).toBe(undefined);
    await bed.kubectl(['delete', 'appproject', '-n', 'argocd', project, '--wait=false']);
  });

  test('a closed sync window is waited for, and nothing is started in it', async () => {
    const project = bed.config.platform;
    await bed.kubectl(['apply', '-f', '-'], {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: project, namespace: 'argocd' },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        syncWindows: [{ kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'] }],
      },
    });
    await bed.service('frozen', 'production', { 'c.json': configMap('frozen', {}) });
    const name = await bed.application('frozen', 'production', { project });
    const sync = production('frozen', await bed.promote('frozen', 'production'), newOperationId());
    await expect(bed.sync(sync)).rejects.toMatchObject({
      type: 'SyncWindowClosed',
      nonRetryable: false,
      category: 'BENIGN',
    });
    expect((await bed.argocd.application(name))?.operation).toBe(undefined);
    await bed.kubectl(['delete', 'appproject', '-n', 'argocd', project, '--wait=false']);
  });

  test('an Application that syncs by itself, or something else, is refused', async () => {
    await bed.service('wrong', 'production', { 'c.json': configMap('wrong', {}) });
    const sync = production('wrong', await bed.promote('wrong', 'production'), newOperationId());
    const refusedFor = (what: string) =>
      // Until the watch has seen the Application as it is now.
      vi.waitFor(
        async () =>
          expect(await bed.sync(sync)).toMatchObject({
            state: 'refused',
            reason: expect.stringContaining(what),
          }),
        untilSeen,
      );
    await bed.application('wrong', 'production', { syncPolicy: { automated: {} } });
    await refusedFor('spec.syncPolicy.automated');

    const elsewhere = {
      repoURL: bed.config.repository.url,
      path: 'deploy/syncs/overlays/production',
      targetRevision: 'main',
    };
    await bed.application('wrong', 'production', { syncPolicy: null, source: elsewhere });
    await refusedFor('deploy/syncs/overlays');
  });

  test('an Application that nobody makes is told after ten minutes, and what to do', async () => {
    await bed.service('nowhere', 'production', { 'c.json': configMap('nowhere', {}) });
    const written = await bed.promote('nowhere', 'production');
    const sync = production('nowhere', written, newOperationId());
    const earlier = bed.environment(Date.now() - 11 * minute);
    expect(await earlier.run(bed.activities.startSync, sync)).toMatchObject({
      state: 'refused',
      reason: expect.stringMatching(/^There is no Application nowhere-production-.* in argocd\. Create it/),
    });
  });

  test('a delivery that is over starts nothing', async () => {
    await bed.service('over', 'production', { 'c.json': configMap('over', {}) });
    const sync = production('over', await bed.promote('over', 'production'), newOperationId());
    const asker = { workflowId: 'never-was', runId: newOperationId() };
    expect(await bed.sync({ ...sync, asker })).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('not open'),
    });
  });
});

describe.concurrent('what may run in production', together, () => {
  test('a release that was touched by hand, or another revision than one of the branch, is refused', async () => {
    await bed.service('forged', 'production', { 'c.json': configMap('forged', {}) });
    const written = await bed.promote('forged', 'production');
    await bed.commit({ 'deploy/forged/overlays/production/release/extra.yaml': configMap('extra', {}) });
    const touched = {
      ...production('forged', written, newOperationId()),
      revision: await bed.repository.tip(),
    };
    expect(await bed.sync(touched)).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('other manifests'),
    });

    const branch = await bed.gitea.commit('feature', 'file', 'x');
    expect(await bed.sync({ ...touched, revision: branch })).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('not on the protected branch'),
    });
    const other = {
      ...touched,
      revision: written.revision,
      release: { ...written.release, change: { service: 'forged', commit: branch } },
    };
    expect(await bed.sync(other)).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('is not the release of'),
    });
  });

  test('an image that no recorded build made is refused', async () => {
    await bed.commit({ 'services/pictured/Dockerfile': 'FROM scratch\n' });
    const image = { name: 'localhost:5000/argocd-test/pictured', digest: `sha256:${'a'.repeat(64)}` };
    await bed.service('pictured', 'production', {
      'd.json': deployment('pictured', 'true', { image: image.name }),
    });
    const sync = production('pictured', await bed.promote('pictured', 'production', image), newOperationId());
    const unrecorded = { state: 'refused', reason: expect.stringContaining('no recorded build') };
    expect(await bed.sync(sync)).toMatchObject(unrecorded);

    const record = { change: changeName(sync.release.change), ...image, builtAt: soon(0) };
    const key = objectKeys.build(sync.release.change);
    bed.objects.set(key, JSON.stringify({ ...record, digest: `sha256:${'b'.repeat(64)}` }));
    expect(await bed.sync(sync)).toMatchObject(unrecorded);
  });

  test('what is shown to people is what runs against what would run', async () => {
    const [first, second] = ['a', 'b'].map((letter) => ({
      name: 'localhost:5000/argocd-test/shown',
      digest: `sha256:${letter.repeat(64)}`,
    }));
    if (!first || !second) throw new Error('never');
    await bed.commit({ 'services/shown/Dockerfile': 'FROM scratch\n' });
    await bed.service('shown', 'production', {
      'd.json': deployment('shown', 'true', { image: first.name }),
      's.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        stringData: { password: 'hunter2' },
      }),
    });
    const written = await bed.promote('shown', 'production', first);
    const asked = { environment: 'production', release: written.release, revision: written.revision };
    const initial = await bed.render(asked);
    expect(initial.summary).toMatch(/^2 added: Secret\/s .*Deployment\/shown/);
    expect(bed.objects.get(initial.diff)).not.toContain('hunter2');

    const name = await bed.application('shown', 'production');
    await bed.argocd.startOperation(name, {
      id: newOperationId(),
      revisions: [written.revision],
      ...how,
    });
    await vi.waitFor(
      async () => expect((await bed.argocd.application(name))?.deployedRevision).toBe(written.revision),
      untilSeen,
    );
    expect(await bed.render(asked)).toMatchObject({
      manifestsDigest: initial.manifestsDigest,
      summary: 'Nothing changes.',
    });

    const later = await bed.promote('shown', 'production', second);
    const changed = await bed.render({ ...asked, release: later.release, revision: later.revision });
    expect(changed.summary).toMatch(/^1 changed: Deployment\/shown .*image/);
    expect(changed.manifestsDigest).not.toBe(initial.manifestsDigest);
    const diff = bed.objects.get(changed.diff);
    expect(diff).toContain('=== changed: Deployment/shown');
    expect(diff).toContain(
      `+        - image: ${second.name}:${later.release.change.commit}@${second.digest}`.slice(10),
    );
  });

  test('an overlay that renders to nothing, or brings another image, is not even shown', async () => {
    await bed.service('renders', 'production', { 'c.json': configMap('renders', {}) }, 'resources: []\n');
    const { release, revision } = await bed.promote('renders', 'production');
    await expect(bed.render({ environment: 'production', release, revision })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(/renders to nothing|kustomization.yaml is empty/),
    });

    const image = { name: 'localhost:5000/argocd-test/swapped', digest: `sha256:${'c'.repeat(64)}` };
    const swap = `resources: [release]\nimages: [{name: ${image.name}, newName: elsewhere/image, newTag: latest}]\n`;
    await bed.commit({ 'services/swapped/Dockerfile': 'FROM scratch\n' });
    await bed.service(
      'swapped',
      'production',
      { 'd.json': deployment('swapped', 'true', { image: image.name }) },
      swap,
    );
    const swapped = await bed.promote('swapped', 'production', image);
    await expect(
      bed.render({ environment: 'production', release: swapped.release, revision: swapped.revision }),
    ).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('override') });
  });
});

/** One after the other, and after all else: a commit of another service has Argo CD sync again what follows the branch. */
describe('the released image', { timeout: 8 * minute }, () => {
  const setImage = (environment: string, object: string, image: string): Promise<string> =>
    bed.kubectl(['set', 'image', '-n', bed.namespace(environment), object, `app=${image}`]);
  const runsAnother = (where: string, { name, digest }: Image, runs = 'debian:bookworm-slim') =>
    expect.stringMatching(
      new RegExp(
        `^Not healthy in time: .* waited for the release's image \\(${where} runs image ${runs}, not ${name}@${digest}, in container app\\)\\. .*[Dd]eliver the change again`,
      ),
    );

  test('that somebody replaced while it is waited for, where Argo CD follows the branch, is told until it is back', async () => {
    const image = await makeImage('meddled');
    await bed.service('meddled', 'dev', {
      'd.json': deployment('meddled', 'sleep infinity', { image: image.name }),
    });
    // Without selfHeal, Argo CD puts nothing back.
    await bed.application('meddled', 'dev', { syncPolicy: { automated: { prune: true } } });
    const written = await bed.promote('meddled', 'dev', image);
    expect(await bed.wait(dev('meddled', written, 2 * minute))).toMatchObject({ state: 'healthy' });

    await setImage('dev', 'deployment/meddled', 'debian:bookworm-slim');
    const where = `Deployment/meddled in ${bed.namespace('dev')}`;
    expect(await bed.wait(dev('meddled', written, minute))).toMatchObject({
      state: 'failed',
      reason: runsAnother(where, image),
    });

    const told: string[] = [];
    const environment = bed.environment();
    environment.on('heartbeat', ({ waitsFor }: { waitsFor: string }) => told.push(waitsFor));
    const waiting = environment.run(bed.activities.awaitHealthy, dev('meddled', written, 3 * minute));
    await vi.waitFor(
      () => expect(told).toContainEqual(expect.stringContaining(`${where} runs image debian:bookworm-slim`)),
      { timeout: minute },
    );
    await setImage(
      'dev',
      'deployment/meddled',
      `${image.name}:${written.release.change.commit}@${image.digest}`,
    );
    expect(await waiting).toMatchObject({ state: 'healthy' });
  });

  test('that somebody replaced after the promotion synced it is found, also once the branch has moved on', async () => {
    const image = await makeImage('pinned');
    await bed.service('pinned', 'production', {
      'd.json': deployment('pinned', 'sleep infinity', { image: image.name }),
    });
    const name = await bed.application('pinned', 'production');
    const written = await bed.promote('pinned', 'production', image);
    const sync = production('pinned', written, newOperationId());
    const started = { id: sync.operationId, revisions: [written.revision], ...how };
    expect(await bed.argocd.startOperation(name, started)).toEqual({ state: 'ours' });
    expect(await bed.wait({ ...sync, deadline: soon(2 * minute) })).toMatchObject({ state: 'healthy' });

    // Then Argo CD's own comparison says nothing about what was promoted.
    const overlay = `namespace: ${bed.namespace('production')}\nresources: [release]\nnamePrefix: other-\n`;
    await bed.commit({ 'deploy/pinned/overlays/production/kustomization.yaml': overlay }, 'update');
    await setImage('production', 'deployment/pinned', 'debian:bookworm-slim');
    await bed.kubectl([
      ...['rollout', 'status', '-n', bed.namespace('production')],
      ...['deployment/pinned', '--timeout=60s'],
    ]);
    await bed.argocd.refresh(name);
    await vi.waitFor(
      async () =>
        expect((await bed.argocd.application(name))?.sync.revision).toBe(await bed.repository.tip()),
      { timeout: minute },
    );
    expect(await bed.wait({ ...sync, deadline: soon(minute / 2) })).toMatchObject({
      state: 'failed',
      health: 'Healthy',
      reason: runsAnother(`Deployment/pinned in ${bed.namespace('production')}`, image),
    });
  });

  test('that pods do not run yet, which nobody replaces, is waited for, whatever their node calls it', async () => {
    const [first, second] = [await makeImage('kept'), await makeImage('kept')];
    const { spec, ...object } = JSON.parse(deployment('kept', 'sleep infinity', { image: first.name }));
    delete spec.progressDeadlineSeconds;
    const updateStrategy = { type: 'OnDelete' };
    const kept = { ...object, kind: 'StatefulSet', spec: { ...spec, updateStrategy, serviceName: 'kept' } };
    await bed.service('kept', 'dev', { 's.json': JSON.stringify(kept) });
    await bed.application('kept', 'dev');
    const before = await bed.promote('kept', 'dev', first);
    expect(await bed.wait(dev('kept', before, 2 * minute))).toMatchObject({ state: 'healthy' });

    const after = await bed.promote('kept', 'dev', second);
    const where = `Pod kept-0 of StatefulSet/kept in ${bed.namespace('dev')}`;
    const old = `${first.name}:${before.release.change.commit}@${first.digest}`;
    expect(await bed.wait(dev('kept', after, minute))).toMatchObject({
      state: 'failed',
      reason: runsAnother(where, second, old),
    });
    await bed.kubectl(['delete', 'pod', '-n', bed.namespace('dev'), 'kept-0']);
    expect(await bed.wait(dev('kept', after, 2 * minute))).toMatchObject({ state: 'healthy' });
  });

  test('a failure in another cluster is explained by its pods there, and an image that somebody replaced is found', async () => {
    const cluster = await otherCluster();
    onTestFinished(cluster.remove);
    const image = await makeImage('abroad');
    // It bakes: a pod that crashes is healthy for an instant.
    const staging = (written: Written, ms: number) => ({
      ...dev('abroad', written, ms),
      environment: 'staging',
    });
    const containers = (command: string): string =>
      deployment('abroad', command, { image: image.name, progressDeadlineSeconds: 20 });
    await bed.service('abroad', 'staging', { 'd.json': containers('sleep infinity') });
    const name = await bed.application('abroad', 'staging', {
      destination: { name: cluster.name, namespace: bed.namespace('staging') },
      syncPolicy: { automated: { prune: true } },
    });
    const written = await bed.promote('abroad', 'staging', image);
    expect(await bed.wait(staging(written, 2 * minute))).toMatchObject({ state: 'healthy' });

    await setImage('staging', 'deployment/abroad', 'debian:bookworm-slim');
    expect(await bed.wait(staging(written, minute / 2))).toMatchObject({
      state: 'failed',
      reason: runsAnother(`Deployment/abroad in ${bed.namespace('staging')}`, image),
    });

    await bed.commit({ 'deploy/abroad/base/d.json': containers('echo no database; exit 7') }, 'update');
    const broken = await bed.wait(staging(await bed.promote('abroad', 'staging', image), 2 * minute));
    if (broken.state !== 'failed') throw new Error(broken.state);
    const [key = ''] = broken.logs ?? [];
    expect(broken.reason).toMatch(new RegExp(`Pod abroad-[^]*exit code 7[^]*its log: ${key}`));
    expect(bed.objects.get(key)).toMatch(/no database$/);

    await cluster.renew('nobodys');
    const unseen = await bed.argocd.explain(name, async () => '');
    expect(unseen).toMatch(
      new RegExp(
        `Cluster ${cluster.name} cannot be looked into from here: GET .* 401 .*Secret ${cluster.name} names`,
      ),
    );
    expect(unseen).not.toContain('nobodys');
  });
});

/** The stack's own cluster once more, as Argo CD knows another one: by its address, and with an account of its own. */
async function otherCluster() {
  const name = `${bed.config.platform}-eu`;
  const home = bed.namespace('dev');
  const shown = await bed.kubectl(['config', 'view', '--raw', '--minify', '--output=json']);
  const { clusters } = z
    .object({
      clusters: z.tuple([
        z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.string() }) }),
      ]),
    })
    .parse(JSON.parse(shown));
  const { server, 'certificate-authority-data': caData } = clusters[0].cluster;
  await bed.kubectl(['create', 'serviceaccount', 'argocd', '-n', home]);
  const account = `--serviceaccount=${home}:argocd`;
  await bed.kubectl(['create', 'clusterrolebinding', name, '--clusterrole=cluster-admin', account]);
  async function renew(bearerToken: string): Promise<void> {
    await bed.kubectl(['apply', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
      stringData: { name, server, config: JSON.stringify({ bearerToken, tlsClientConfig: { caData } }) },
    });
  }
  await renew((await bed.kubectl(['create', 'token', 'argocd', '-n', home])).trim());
  return {
    name,
    renew,
    async remove() {
      await bed.kubectl(['delete', 'secret', '-n', 'argocd', name]);
      await bed.kubectl(['delete', 'clusterrolebinding', name]);
    },
  };
}
