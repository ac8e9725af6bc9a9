import { expect, test } from 'vitest';
import type { Delivery } from '../model/delivery/delivery.ts';
import type { Documents } from './documents.ts';
import { withLogEnds } from './log-ends.ts';

const commit = '3f'.repeat(20);
const failed: Delivery = {
  change: `claims/${commit}`,
  service: 'claims',
  commit,
  state: 'failed',
  steps: [
    { name: 'verify', state: 'succeeded' },
    { name: 'test', state: 'succeeded', log: 'logs/test.log' },
    { name: 'dev', state: 'failed', error: 'not healthy' },
  ],
  environments: { dev: { state: 'failed', reason: 'not healthy', logs: ['logs/app.log'] } },
};

const documents = (logs: Record<string, string | Promise<string>>): Documents => ({
  delivery: async () => undefined,
  commits: async () => [],
  diff: async () => undefined,
  logs: async () => [],
  log: async () => '',
  logEnd: async (key) => logs[key],
});

const lastStep = async (delivery: Delivery, from: Documents | undefined) =>
  (await withLogEnds(delivery, from)).steps.at(-1);

test('a failed step is shown with how its log ends, and no other step is', async () => {
  const store = documents({ 'logs/app.log': 'no database', 'logs/test.log': 'all is well' });
  expect((await withLogEnds(failed, store)).steps).toEqual([
    ...failed.steps.slice(0, 2),
    { name: 'dev', state: 'failed', error: 'not healthy', log: 'logs/app.log', logEnd: 'no database' },
  ]);
});

test('of several containers each log is named', async () => {
  const several: Delivery = {
    ...failed,
    environments: { dev: { state: 'failed', logs: ['logs/a.log', 'logs/b.log'] } },
  };
  expect((await lastStep(several, documents({ 'logs/a.log': 'one', 'logs/b.log': 'two' })))?.logEnd).toBe(
    '==> logs/a.log <==\none\n==> logs/b.log <==\ntwo',
  );
});

test('without an object store, or where it is away, the key stands there', async () => {
  expect(await lastStep(failed, undefined)).toEqual(failed.steps.at(-1));
  const away = documents({ 'logs/app.log': Promise.reject(new Error('away')) });
  expect(await lastStep(failed, away)).toEqual({ ...failed.steps.at(-1), log: 'logs/app.log' });
});

test('a delivery under way is not held up by an object store', async () => {
  const running: Delivery = { ...failed, state: 'running' };
  const nobodyAnswers: Documents = { ...documents({}), logEnd: () => new Promise(() => undefined) };
  expect(await withLogEnds(running, nobodyAnswers)).toEqual(running);
});
