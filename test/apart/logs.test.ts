import { expect } from 'vitest';
import { createClient, GitopsError, type Documents, type LogOptions } from '../../src/client.ts';
import { endToEndStep, objectKeys } from '../../src/model/object-keys.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };
const name = `claims/${change.commit}`;

/** Where logs lie: what was put there, oldest first. */
class Store {
  readonly logs = new Map<string, string>();
  isAway = false;

  readonly documents: Documents = {
    delivery: async () => undefined,
    commits: async () => [],
    logEnd: async () => undefined,
    diff: async () => undefined,
    logs: async () => {
      if (this.isAway) throw new GitopsError('unreachable', 'The logs cannot be read.');
      return [...this.logs].map(([key, text], index) => ({
        key,
        size: Buffer.byteLength(text),
        writtenAt: new Date(index * 1000).toISOString(),
      }));
    },
    log: async (key, after) =>
      Buffer.from(this.logs.get(key) ?? '')
        .subarray(after)
        .toString(),
  };
}

const read = (rig: Rig, store: Store, options: LogOptions = {}) =>
  createClient(rig.temporal.client, rig.platform, store.documents).logs(name, options);

const told = async (parts: AsyncIterable<{ step: string; source: string; text: string }>) =>
  (await Array.fromAsync(parts)).map(({ step, source, text }) => `${step} ${source}: ${text}`);

test('logs are told whole, in the order of the steps and attempt after attempt', async ({ rig }) => {
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  const store = new Store();
  store.logs.set(objectKeys.log(change, endToEndStep('staging'), '2b000000-1'), 'claims are refused');
  store.logs.set(objectKeys.podLog(change, 'dev', '2a000000-1', 'web'), 'no database');
  store.logs.set(objectKeys.log(change, 'build', '1a000000-1'), '');
  store.logs.set(objectKeys.log(change, 'test', '1a000000-1'), 'one failed');
  store.logs.set(objectKeys.log(change, 'test', '1a000000-2'), 'all is well');
  expect(await told(read(rig, store))).toEqual([
    'test test: one failed',
    'test test: all is well',
    'build build: ',
    'dev web: no database',
    'staging end-to-end: claims are refused',
  ]);
  expect(await told(read(rig, store, { step: 'dev' }))).toEqual(['dev web: no database']);
});

test('a step that a change does not have is refused, with those that it has', async ({ rig }) => {
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await expect(told(read(rig, new Store(), { step: 'tests' }))).rejects.toMatchObject({
    kind: 'usage',
    message: `${name} has no step tests. It has: verify, test, build, dev, staging, production.`,
  });
});

test('what a step writes is told while it runs, each part once, until the delivery has ended', async ({
  rig,
}) => {
  const { begun, goOn } = rig.world.hold('deliver testService');
  const store = new Store();
  const key = objectKeys.log(change, 'test', '1a000000-1');
  store.logs.set(key, 'ça va\n');
  const delivery = await rig.deliver(change);
  await begun;
  const waited: string[] = [];
  const parts = read(rig, store, {
    follow: true,
    onChange: ({ waitingFor }) => void (waitingFor !== undefined && waited.push(waitingFor)),
  });
  const next = async () => (await parts.next()).value?.text;
  expect(await next()).toBe('ça va\n');

  // It is away for a while.
  store.isAway = true;
  const more = next();
  await rig.sees(change, { state: 'running' });
  store.logs.set(key, 'ça va\ntrès bien\n');
  store.isAway = false;
  expect(await more).toBe('très bien\n');

  // It has written more than is kept.
  store.logs.set(key, 'ça\n');
  expect(await next()).toMatch(/the middle is left out/);
  store.logs.set(key, 'ça\nfin\n');
  expect(await next()).toBe('fin\n');

  goOn();
  const rest = told(parts);
  await rig.sees(change, { state: 'waiting' });
  await expect.poll(() => waited).toContain('a review of pull request #1: https://forge/1');
  await rig.review('staging', 'claims', 'reject');
  await delivery.result();
  expect(await rest).toEqual([]);
});

test('who stops following stops nothing else', async ({ rig }) => {
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  const stop = new AbortController();
  const parts = told(read(rig, new Store(), { follow: true, signal: stop.signal }));
  stop.abort();
  expect(await parts).toEqual([]);
  await rig.sees(change, { state: 'waiting' });
});
