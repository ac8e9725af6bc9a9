import proto from '@temporalio/proto';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Runtime, Worker, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/client.ts';
import { failed } from '../../src/activities/failures.ts';
import { answered, pullRequestChanged } from '../../src/model/temporal/messages.ts';
import { queues, taskQueue } from '../../src/model/temporal/task-queues.ts';
import { deliverId, environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { createCodecServer } from '../../src/server/codec.ts';
import { createCodec, type PayloadKey } from '../../src/systems/temporal/codec.ts';
import { clientConverter, workerConverter } from '../../src/systems/temporal/data-converter.ts';
import { keysInUse } from '../../src/systems/temporal/keys-in-use.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { startTemporal } from '../support/temporal.ts';
import { World } from '../support/world.ts';

/** Payloads are encrypted: a real Temporal server, and workers and clients with keys. */
let temporal: TestWorkflowEnvironment;
const bundles = new Map<boolean, WorkflowBundleOption>();

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  for (const encrypted of [false, true]) bundles.set(encrypted, await workflowBundle(encrypted));
  temporal = await startTemporal();
}, 120_000);
afterAll(() => temporal.teardown());

const newKey = (id: string): PayloadKey => ({ id, key: randomBytes(32) });
const [older, newer] = [newKey('older'), newKey('newer')];

let platform: string;
let world: World;
const change = { service: 'claims', commit: World.commit(7) };
const name = `claims/${change.commit}`;

beforeEach(() => {
  platform = `p${randomUUID().slice(0, 8)}`;
  world = new World(platform, ['dev', 'staging']);
});

const temporalWith = (keys: PayloadKey[]) =>
  new Client({ connection: temporal.connection, dataConverter: clientConverter(keys) });
const clientWith = (keys: PayloadKey[]) => createClient(temporalWith(keys), platform);

/** Workers of all queues, until the work is done. */
async function whileServed(keys: PayloadKey[], work: () => Promise<void>): Promise<void> {
  const workflowBundle = bundles.get(keys.length > 0);
  const workers = await Promise.all(
    queues.map((queue) =>
      Worker.create({
        connection: temporal.nativeConnection,
        dataConverter: workerConverter(keys),
        taskQueue: taskQueue(platform, queue),
        activities: world.activities(temporalWith(keys)),
        ...(queue === 'delivery' && workflowBundle && { workflowBundle }),
        shutdownForceTime: '5 seconds',
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    await work();
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
}

const sees = (keys: PayloadKey[], what: object) =>
  vi.waitFor(async () => expect(await clientWith(keys).status(name)).toMatchObject(what), {
    timeout: 60_000,
    interval: 100,
  });
const waitsForReview = { state: 'waiting', waitingFor: 'a review of pull request #1: https://forge/1' };

async function approve(keys: PayloadKey[]): Promise<void> {
  const reading = world.pullRequests.get(1);
  reading?.approvedBy.push('reviewer');
  const environment = environmentId(platform, 'staging', change.service);
  await temporalWith(keys).workflow.getHandle(environment).signal(pullRequestChanged, { number: 1 });
}

/** What the server has of a workflow, as bytes. */
async function bytesOf(workflowId: string): Promise<Buffer> {
  const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
}

const deliveryId = () => deliverId(platform, change);

test('nothing of what a delivery is about is readable in Temporal, and its clients see it all', async () => {
  world.tests = () => Promise.reject(failed('TestsFailed', 'patient 4711 was refused', 'logs/4711'));
  await whileServed([newer], async () => {
    await clientWith([newer]).deliver({ ...change, subject: 'mend patient 4711' });
    await sees([newer], { state: 'failed', reason: 'patient 4711 was refused' });
  });

  const bytes = await bytesOf(deliveryId());
  expect(bytes.includes('binary/encrypted')).toBe(true);
  for (const word of ['4711', 'refused', 'committedAt', 'json/plain":'])
    expect(bytes.includes(word)).toBe(false);
  const { raw } = await temporalWith([newer]).workflow.getHandle(deliveryId()).describe();
  const info = proto.temporal.api.workflow.v1.WorkflowExecutionInfo.encode(raw.workflowExecutionInfo ?? {});
  expect(Buffer.from(info.finish()).includes('4711')).toBe(false);

  await vi.waitFor(async () => {
    const { changes } = await clientWith([newer]).list();
    expect(changes).toMatchObject([{ change: name, state: 'failed', subject: 'mend patient 4711' }]);
  });
}, 120_000);

test('who has no key is told which one it takes', async () => {
  await whileServed([newer], async () => {
    await clientWith([newer]).deliver({ ...change, subject: 'anything' });
    await sees([newer], waitsForReview);
    await expect(clientWith([]).status(name)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('the key "newer"') as unknown,
    });
  });
}, 120_000);

test('an activity that is tried again says why, also where that is encrypted', async () => {
  world.tests = () => Promise.reject(new Error('the registry is away'));
  await whileServed([newer], async () => {
    await clientWith([newer]).deliver(change);
    await sees([newer], {
      steps: [
        { name: 'verify' },
        { name: 'test', progress: expect.stringContaining('the registry is away') as unknown },
        {},
        {},
        {},
      ],
    });
  });
}, 120_000);

test.each([
  ['an older key', [older], [newer, older]],
  ['none', [], [newer]],
])(
  'what began under %s goes on under a new one',
  async (_, before, after) => {
    await whileServed(before, async () => {
      await clientWith(before).deliver(change);
      await sees(before, waitsForReview);
    });
    await whileServed(after, async () => {
      await approve(after);
      await sees(after, { state: 'succeeded' });
    });
    expect((await bytesOf(deliveryId())).includes('newer')).toBe(true);
  },
  90_000,
);

/** Waits until a workflow's task has failed, and tells why. */
const stops = (workflowId: string) =>
  vi.waitFor(
    async () => {
      const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
      const failures = events?.flatMap(
        ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure ?? [],
      );
      const sealed = failures?.at(-1)?.encodedAttributes;
      const [told] = await createCodec([newer]).decode(sealed ? [sealed] : []);
      expect(Buffer.from(told?.data ?? []).toString()).toMatch(/the key .*, which is not here/);
    },
    { timeout: 60_000, interval: 200 },
  );

test('a worker without the key stops nothing for good: the work goes on once it has it', async () => {
  await whileServed([older], async () => {
    await clientWith([older]).deliver(change);
    await sees([older], waitsForReview);
  });
  await whileServed([newer], async () => {
    await approve([newer]);
    await stops(environmentId(platform, 'staging', change.service));
  });
  expect(await keysInUse(temporal.client, platform)).toEqual(new Map([['older', 3]]));
  await whileServed([newer, older], () => sees([newer, older], { state: 'succeeded' }));
  expect(await keysInUse(temporal.client, platform)).toEqual(
    new Map([
      ['older', 1],
      ['newer', 1],
    ]),
  );
}, 240_000);

describe('a signal of a stranger', () => {
  const signal = (keys: PayloadKey[]) =>
    temporalWith(keys)
      .workflow.getHandle(deliveryId())
      .signal(answered, { askId: 'x', environment: 'staging', outcome: { state: 'failed' } });

  test('under a key that is here, which does not open it, is dropped', async () => {
    await whileServed([newer], async () => {
      await clientWith([newer]).deliver(change);
      await sees([newer], waitsForReview);
      await signal([newKey('newer')]);
      await approve([newer]);
      await sees([newer], { state: 'succeeded' });
    });
  }, 120_000);

  test('under a key that nobody has stops the delivery until a key of that name is there, whatever it is', async () => {
    await whileServed([newer], async () => {
      await clientWith([newer]).deliver(change);
      await sees([newer], waitsForReview);
      await signal([newKey('stranger')]);
      await stops(deliveryId());
    });
    const keys = [newer, newKey('stranger')];
    await whileServed(keys, async () => {
      await approve(keys);
      await sees(keys, { state: 'succeeded' });
    });
  }, 240_000);
});

test('the codec server decrypts what the Temporal UI shows', async () => {
  await whileServed([newer], async () => {
    await clientWith([newer]).deliver(change);
    await sees([newer], waitsForReview);
  });
  const { events } = await temporal.client.workflow.getHandle(deliveryId()).fetchHistory();
  const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const app = createCodecServer({ codec: createCodec([newer]), token: () => 'sesame', origins: [] });
  // protobufjs writes bytes in base64, as the server's HTTP API does.
  const { Payload } = proto.temporal.api.common.v1;
  const response = await app.request('/decode', {
    method: 'POST',
    headers: { Authorization: 'Bearer sesame', 'X-Namespace': 'default' },
    body: JSON.stringify({ payloads: [Payload.fromObject(payload ?? {}).toJSON()] }),
  });
  const { payloads } = (await response.json()) as { payloads: [{ data: string }] };
  expect(JSON.parse(Buffer.from(payloads[0].data, 'base64').toString())).toEqual({ platform, change });
}, 120_000);
