import { expect, test } from 'vitest';
import type { ObjectStore } from '../systems/objects/index.ts';
import { keptLogs } from './kept-logs.ts';

test('what containers wrote is stored, and told by its key', async () => {
  const stored = new Map<string, string>();
  const put = async (key: string, body: string) => Boolean(stored.set(key, body));
  const { keep, logs } = keptLogs(
    { put } as Partial<ObjectStore> as ObjectStore,
    (name) => `logs/${name}.log`,
  );
  expect(await keep('app', 'no database')).toBe('logs/app.log');
  expect([...stored]).toEqual([['logs/app.log', 'no database']]);
  expect(logs).toEqual(['logs/app.log']);
});

test('while the object store is away each is said to be lost, and it is asked once', async () => {
  let asked = 0;
  const put = () => Promise.reject(new Error(`away ${(asked += 1)}`));
  const { keep, logs } = keptLogs(
    { put } as Partial<ObjectStore> as ObjectStore,
    (name) => `logs/${name}.log`,
  );
  expect(await keep('app', 'x')).toBe('could not be stored as logs/app.log: away 1');
  expect(await keep('sidecar', 'x')).toBe('could not be stored as logs/sidecar.log: away 1');
  expect(logs).toEqual([]);
});
