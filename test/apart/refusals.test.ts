import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { createClient, type GitopsClient } from '../../src/client.ts';
import { deliverId, environmentId, pollId } from '../../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const commit = World.commit(1);
const change = { service: 'claims', commit };

/** Names that went wrong somewhere: in paths, shells, lines, terminals, objects' own properties, look-alikes. */
const names = [
  '',
  '../prod',
  '%2e%2e',
  'a;id',
  '$(id)',
  'a\0b',
  'a\nb',
  'claims\n',
  'a'.repeat(64),
  'A',
  '__proto__',
  '-h',
  'сlaims', // the first letter is Cyrillic
  'claims\u202e',
  '\u001b[31mclaims',
];
const commits = [
  'main',
  'HEAD',
  commit.slice(1),
  `${commit}0`,
  'A'.repeat(40),
  `${commit}\n`,
  '--upload-pack=id',
  '',
];

/** What somebody may send who knows only that there is something to send to. */
const garbage: unknown[] = [
  undefined,
  null,
  true,
  7,
  '',
  'approve',
  [],
  {},
  { approved: true },
  { id: 7 },
  { askId: null, reason: 7 },
  { ask: {} },
  { number: '1' },
  { change: '__proto__', verdict: 'approve', by: 'board-1' },
  {
    change: { service: '../prod', commit: 'main' },
    verdict: 'approve',
    by: 'a;id',
    reason: 'x'.repeat(5000),
  },
  JSON.parse('{"__proto__": {"id": "x"}}'),
];

describe('through the client', () => {
  test('a name or commit that is none is refused by every command, and nothing is started', async ({
    rig,
  }) => {
    const gitops = createClient(rig.temporal.client, rig.platform);
    const decision = { verdict: 'approve' as const, by: 'board-1' };
    const attempts = [
      ...names.flatMap((name) => [
        () => gitops.deliver({ service: name, commit }),
        () => gitops.list({ service: name }),
        () => gitops.list({ environment: name }),
        () => gitops.decide({ ...decision, change: `claims/${commit}`, environment: name }),
        () => gitops.decide({ ...decision, change: `claims/${commit}`, by: name }),
        ...commands(gitops, `${name}/${commit}`),
      ]),
      ...commits.flatMap((bad) => [
        () => gitops.deliver({ service: 'claims', commit: bad }),
        () => gitops.deliverChangedSince({ since: bad }),
        () => gitops.deliverChangedSince({ since: commit, until: bad }),
        // Seven digits or more of one may name it, if there is one.
        ...(/^[0-9a-f]{7,39}$/.test(bad) ? [] : commands(gitops, `claims/${bad}`)),
      ]),
      ...commands(gitops, 'claims'),
      ...commands(gitops, `claims/${commit}/dev`),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        name: 'GitopsError',
        kind: 'usage',
        message: expect.stringMatching(/\w/),
      });
    }
    expect((await gitops.list()).changes).toEqual([]);
    expect(() => createClient(rig.temporal.client, '../p')).toThrow(/a name has/);
  });
});

const commands = (gitops: GitopsClient, name: string) => [
  () => gitops.status(name),
  () => gitops.retry(name),
  () => gitops.cancel(name),
  () => gitops.wait(name),
  () => gitops.decide({ change: name, verdict: 'approve', by: 'board-1' }),
];

describe('a raw signal', () => {
  test('of garbage neither ends nor stops an environment', async ({ rig }) => {
    await rig.deliver(change);
    await rig.sees(change, { state: 'waiting' });
    const effects = [...rig.world.effects];
    const staging = rig.environment('staging', 'claims');
    for (const signal of ['promote', 'withdraw', 'decide', 'pullRequestChanged', 'unknown']) {
      for (const sent of garbage) await staging.signal(signal, ...(sent === undefined ? [] : [sent]));
    }
    expect(await rig.view('staging', 'claims')).toMatchObject({
      active: { change, view: { state: 'waiting' } },
      waiting: [],
      recent: [],
    });
    expect(rig.world.effects).toEqual(effects);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  });

  test('that nobody here can read neither ends nor stops an environment', async ({ rig }) => {
    await rig.deliver(change);
    await rig.sees(change, { state: 'waiting' });
    const { client } = rig.temporal;
    const encodings = [
      ['json/protobuf', '{}'],
      ['binary/encrypted', '\u0001'],
      ['json/plain', '{"id":'],
      ['', ''],
    ].map(([encoding = '', data = '']) => ({
      metadata: { encoding: Buffer.from(encoding) },
      data: Buffer.from(data),
    }));
    for (const signalName of ['promote', 'withdraw', 'decide', 'pullRequestChanged']) {
      for (const payload of [...encodings, {}]) {
        await client.workflowService.signalWorkflowExecution({
          namespace: client.options.namespace,
          workflowExecution: { workflowId: environmentId(rig.platform, 'staging', 'claims') },
          signalName,
          input: { payloads: [payload] },
        });
      }
    }
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, { waitingFor: '2 of 2 approvals' });
  });

  test('of garbage neither ends nor stops a delivery', async ({ rig }) => {
    const delivery = await rig.deliver(change);
    await rig.sees(change, { state: 'waiting' });
    const { runId } = await delivery.describe();
    for (const signal of ['answered', 'progressed']) {
      for (const sent of garbage) await delivery.signal(signal, ...(sent === undefined ? [] : [sent]));
      for (const more of [{}, { outcome: 'succeeded' }, { outcome: { state: 'done' } }, { view: 7 }]) {
        await delivery.signal(signal, { askId: runId, environment: 'staging', ...more });
      }
    }
    await rig.sees(change, { state: 'waiting', waitingFor: expect.stringMatching(/^a review/) as string });
  });

  test('that asks for another service, or for more than a configuration allows, is dropped', async ({
    rig,
  }) => {
    await rig.deliver(change);
    await rig.sees(change, { state: 'waiting' });
    const dev = rig.environment('dev', 'claims');
    const good = await askOf(rig);
    const bad = [
      { ...good, id: '' },
      { ...good, asker: { workflowId: '', runId: 'x' } },
      { ...good, asker: { workflowId: 'x'.repeat(5000), runId: 'x' } },
      { ...good, release: { ...good.release, change: { service: 'web', commit } } },
      { ...good, release: { ...good.release, change: { service: 'claims', commit: commit.toUpperCase() } } },
      { ...good, release: { ...good.release, image: { name: 'x', digest: 'sha256:1' } } },
      { ...good, settings: { ...good.settings, queue: 'build' } },
      { ...good, settings: { ...good.settings, healthyWithinMs: 1e300 } },
      { ...good, settings: { ...good.settings, healthyWithinMs: -1 } },
    ];
    const effects = [...rig.world.effects];
    for (const [index, ask] of bad.entries()) {
      await dev.signal('promote', { ...ask, ...(ask.id && { id: `bad-${index}` }) });
    }
    expect(await rig.view('dev', 'claims')).toMatchObject({ waiting: [], recent: [{ change }] });
    expect(rig.world.effects).toEqual(effects);
  });
});

/** An ask as a delivery sends it, for the next change. */
async function askOf(rig: Rig) {
  const next = World.commit(2);
  const settings = rig.world.settings['dev'];
  if (!settings) throw new Error('There is no dev.');
  const source = {
    position: 2,
    subject: 'x',
    authors: [],
    committedAt: '2026-01-01T00:00:00Z',
    base: 'b'.repeat(40),
    paths: [],
  };
  const asker = await rig.temporal.client.workflow.getHandle(deliverId(rig.platform, change)).describe();
  return {
    id: randomUUID(),
    asker: { workflowId: asker.workflowId, runId: asker.runId },
    release: { change: { service: 'claims', commit: next }, source },
    settings,
  };
}

describe('a raw update', () => {
  test('of garbage is refused with what is wrong', async ({ rig }) => {
    const { staging } = rig.world.settings;
    if (staging) staging.approval = { by: 'none' };
    await rig.deliver(change);
    await rig.sees(change, { waitingFor: '2 of 2 approvals' });
    for (const sent of garbage) {
      const update = rig
        .environment('production', 'claims')
        .executeUpdate<unknown, [unknown]>('decide', { args: [sent] });
      await expect(update).rejects.toMatchObject({
        cause: { type: 'Refused', message: expect.any(String) as string },
      });
    }
    await expect(rig.environment('production', 'claims').executeUpdate('approve')).rejects.toThrow();
    expect((await rig.view('production', 'claims')).active?.view.waitingFor).toBe('2 of 2 approvals');
  });
});

describe('a raw start', () => {
  test('of a delivery with garbage fails at once, and nothing happens', async ({ rig }) => {
    const { platform } = rig;
    const of = (service: unknown, commit: unknown) => [{ platform, change: { service, commit } }];
    const starts: [string, unknown[]][] = [
      ['nothing', []],
      ['null', [null]],
      ['text', ['claims']],
      ['no change', [{ platform }]],
      ...names.map((name): [string, unknown[]] => [JSON.stringify(name), of(name, commit)]),
      ...commits.map((bad): [string, unknown[]] => [JSON.stringify(bad), of('claims', bad)]),
      ['an image by its tag', [{ platform, change, image: 'registry/claims:latest' }]],
      ['an image that is none', [{ platform, change, image: 7 }]],
      ['a platform that is none', [{ platform: '../p', change }]],
    ];
    for (const [what, args] of starts) {
      const handle = await rig.temporal.client.workflow.start('deliverService', {
        taskQueue: taskQueue(platform, 'delivery'),
        workflowId: deliverId(platform, change),
        args,
      });
      const failure: unknown = await handle.result().catch((error: unknown) => error);
      expect({ what, failure }).toMatchObject({
        what,
        failure: {
          cause: { type: 'Refused', message: expect.stringMatching(/^It was started with bad input: /) },
        },
      });
    }
    expect(rig.world.effects).toEqual([]);
    expect(rig.world.deliveries).toEqual([]);

    const gitops = createClient(rig.temporal.client, platform);
    await expect(gitops.status(`claims/${commit}`)).rejects.toMatchObject({
      name: 'GitopsError',
      kind: 'usage',
    });
    expect(await gitops.deliver(change)).toMatchObject({ state: 'running' });
    await rig.sees(change, { state: 'waiting' });
  });

  test('under another ID is refused: of one change there is one delivery', async ({ rig }) => {
    for (const platform of [rig.platform, 'other']) {
      const handle = await rig.temporal.client.workflow.start('deliverService', {
        taskQueue: taskQueue(rig.platform, 'delivery'),
        workflowId: deliverId(platform, { ...change, service: 'web' }),
        args: [{ platform: rig.platform, change }],
      });
      await expect(handle.result()).rejects.toMatchObject({
        cause: {
          type: 'Refused',
          message: expect.stringContaining(deliverId(rig.platform, change)) as string,
        },
      });
    }
    expect(rig.world.effects).toEqual([]);
  });

  test('of an environment with garbage fails, and the next ask finds a new one', async ({ rig }) => {
    for (const args of [[], [null], [{ platform: rig.platform, environment: 'dev', service: '../prod' }]]) {
      const handle = await rig.temporal.client.workflow.start('environment', {
        taskQueue: taskQueue(rig.platform, 'delivery'),
        workflowId: environmentId(rig.platform, 'dev', 'claims'),
        args,
      });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'Refused' } });
    }
    await rig.deliver(change);
    await rig.sees(change, { environments: { dev: { state: 'succeeded' } } } as object);
  });

  test('of an environment that the configuration does not have fails, and tells those who asked', async ({
    rig,
  }) => {
    await rig.deliver(change);
    await rig.sees(change, { state: 'waiting' });
    const handle = await rig.temporal.client.workflow.signalWithStart('environment', {
      taskQueue: taskQueue(rig.platform, 'delivery'),
      workflowId: environmentId(rig.platform, 'moon', 'claims'),
      args: [{ platform: rig.platform, environment: 'moon', service: 'claims' }],
      signal: 'promote',
      signalArgs: [await askOf(rig)],
    });
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'Refused', message: 'There is no environment moon.' },
    });
    const { events } = await handle.fetchHistory();
    const told = events?.map(
      (event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes?.signalName,
    );
    expect(told).toContain('answered');
  });

  test('of an environment with a state that is none stands still until an operator looks', async ({
    rig,
  }) => {
    for (const carried of [null, {}, { waiting: [{}], answered: 7 }]) {
      const handle = await rig.temporal.client.workflow.start('environment', {
        taskQueue: taskQueue(rig.platform, 'delivery'),
        workflowId: environmentId(rig.platform, 'dev', 'claims'),
        args: [{ platform: rig.platform, environment: 'dev', service: 'claims', carried }],
      });
      const failure = async () => {
        const { events } = await handle.fetchHistory();
        const failed = events?.find((event) => event.workflowTaskFailedEventAttributes);
        return failed?.workflowTaskFailedEventAttributes?.failure?.message;
      };
      await expect.poll(failure).toContain('The state that it carries cannot be read');
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    }
  });

  test('of a look at the repository, or of what it touched, fails at once', async ({ rig }) => {
    const inputs = [
      [],
      [null],
      [{ platform: '../p' }],
      [{ since: '--upload-pack=id' }],
      [{ since: commit, until: 'main' }],
    ];
    for (const type of ['pollRepository', 'resolveChanges']) {
      for (const args of inputs) {
        const handle = await rig.temporal.client.workflow.start(type, {
          taskQueue: taskQueue(rig.platform, 'delivery'),
          workflowId: pollId(rig.platform),
          args,
        });
        await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'Refused' } });
      }
    }
  });
});
