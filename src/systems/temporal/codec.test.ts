import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createCodec, createWorkerCodec, UnreadablePayload, type PayloadKey } from './codec.ts';

const newKey = (id: string): PayloadKey => ({ id, key: randomBytes(32) });
const [older, newer] = [newKey('2025'), newKey('2026')];
const plain = defaultPayloadConverter.toPayload({ patient: 4711 });

const encode = async (keys: PayloadKey[]) => (await createCodec(keys).encode([plain]))[0] as Payload;
const decode = async (keys: PayloadKey[], payload: Payload) =>
  defaultPayloadConverter.fromPayload((await createCodec(keys).decode([payload]))[0] as Payload);
const textIn = ({ metadata, data }: Payload) =>
  Buffer.concat([...Object.values(metadata ?? {}), data ?? Buffer.alloc(0)]).toString('latin1');

test('what is encrypted shows its encoding and its key, and nothing else', async () => {
  const sealed = await encode([newer, older]);
  const named = Object.entries(sealed.metadata ?? {}).map(([name, value]) => [
    name,
    String(Buffer.from(value)),
  ]);
  expect(Object.fromEntries(named)).toEqual({ encoding: 'binary/encrypted', 'encryption-key-id': '2026' });
  expect(textIn(sealed)).not.toMatch(/4711|json/);
  expect(textIn(await encode([newer]))).not.toBe(textIn(await encode([newer])));
});

test('each key that is there decrypts, also after another has taken its place', async () => {
  expect(await decode([newer, older], await encode([older]))).toEqual({ patient: 4711 });
  expect(await decode([older, newer], await encode([newer]))).toEqual({ patient: 4711 });
});

test('what is not encrypted is read as it is, and stays so where there is no key', async () => {
  expect(await decode([newer], plain)).toEqual({ patient: 4711 });
  expect(await encode([])).toEqual(plain);
});

test('a key that is missing is named, with what to do', async () => {
  const sealed = await encode([older]);
  await expect(decode([newer], sealed)).rejects.toThrow(
    'It is encrypted with the key "2025", which is not here (2026). Add that key to temporal.codec.keys',
  );
  await expect(decode([], sealed)).rejects.toThrow('which is not here (none is)');
});

test('another key of the same ID, and what somebody changed, are refused', async () => {
  const sealed = await encode([older]);
  await expect(decode([newKey('2025')], sealed)).rejects.toThrow('does not open with the key "2025"');
  for (const [position] of (sealed.data ?? []).entries()) {
    const data = Uint8Array.from(sealed.data ?? []);
    data[position] = (data[position] ?? 0) ^ 1;
    await expect(decode([older], { ...sealed, data })).rejects.toThrow(UnreadablePayload);
  }
  for (const length of [0, 5, 20]) {
    const data = sealed.data?.slice(0, length) ?? null;
    await expect(decode([older], { ...sealed, data })).rejects.toThrow(UnreadablePayload);
  }
});

test('a worker reads nothing without its key, and leaves it to workflows what to do with what does not open', async () => {
  const sealed = await encode([older]);
  const workflow = { type: 'workflow', namespace: 'default', workflowId: 'w' } as const;
  const activity = { type: 'activity', namespace: 'default', isLocal: false } as const;
  for (const context of [workflow, activity]) {
    await expect(createWorkerCodec([newer]).decode([sealed], context)).rejects.toThrow('the key "2025"');
  }
  const another = createWorkerCodec([newKey('2025')]);
  await expect(another.decode([sealed], activity)).rejects.toThrow('does not open');
  const [left] = await another.decode([sealed], workflow);
  expect(() => defaultPayloadConverter.fromPayload(left as Payload)).toThrow(
    'does not open with the key "2025"',
  );
});
