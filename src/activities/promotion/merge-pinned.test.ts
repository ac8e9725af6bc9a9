import { expect, test } from 'vitest';
import { MemoryForge } from '../../../test/support/memory-forge.ts';
import { ForgeError, type ForgeErrorKind } from '../../systems/forge/index.ts';
import { mergePinned } from './merge-pinned.ts';

const text = { title: 'title', message: 'message' };
const opened = { number: 1, head: 'head', base: 'main' };
const error = (kind: ForgeErrorKind) => ({ error: new ForgeError(kind, `${kind}.`) });
const yes = () => Promise.resolve(undefined);

function forgeWith(pull: Parameters<MemoryForge['add']>[0] = {}): MemoryForge {
  const forge = new MemoryForge();
  forge.add(pull);
  return forge;
}

test('what people saw is merged, and the commit that it became is told', async () => {
  const forge = forgeWith();
  expect(await mergePinned(forge, opened, text, yes)).toEqual({ state: 'merged', revision: 'revision-1' });
  expect(forge.merges).toEqual([{ number: 1, head: 'head', ...text }]);
});

test('merged already is merged', async () => {
  const forge = forgeWith({ state: 'merged', revision: 'r' });
  expect(await mergePinned(forge, opened, text, yes)).toEqual({ state: 'merged', revision: 'r' });
  expect(forge.merges).toEqual([]);
});

test.each([
  ['closed', { state: 'closed' }, 'closed #1'],
  ['pushed to', { head: { branch: 'branch', sha: 'other', own: true } }, 'its head is other'],
  ['retargeted', { base: 'develop' }, 'goes to develop'],
  ['merged elsewhere', { state: 'merged', base: 'develop', revision: 'r' }, 'goes to develop'],
] as const)('one that somebody %s is not merged', async (_, pull, reason) => {
  const forge = forgeWith(pull);
  expect(await mergePinned(forge, opened, text, yes)).toEqual({
    state: 'refused',
    reason: expect.stringContaining(reason),
  });
  expect(forge.merges).toEqual([]);
});

test('one that may not be merged is not', async () => {
  const forge = forgeWith();
  const refused = await mergePinned(forge, opened, text, () => Promise.resolve('nobody wants it'));
  expect(refused).toEqual({ state: 'refused', reason: 'nobody wants it' });
  expect(forge.merges).toEqual([]);
});

test('a forge that still checks, whose base moved, or that failed is asked again', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [error('pending'), error('base-moved'), error('unavailable')];
  expect(await mergePinned(forge, opened, text, yes)).toMatchObject({ state: 'merged' });
  expect(forge.merges).toHaveLength(1);
});

test('a merge whose answer was lost happened once', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [{ ...error('unavailable'), after: true }];
  expect(await mergePinned(forge, opened, text, yes)).toMatchObject({ state: 'merged' });
  expect(forge.merges).toHaveLength(1);
});

test('whether it is wanted is asked before every try', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [error('pending')];
  const answers = [undefined, 'withdrawn'];
  const merged = await mergePinned(forge, opened, text, () => Promise.resolve(answers.shift()));
  expect(merged).toEqual({ state: 'refused', reason: 'withdrawn' });
});

test('a conflict that lasts is told as one', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [error('pending')];
  expect(await mergePinned(forge, opened, text, yes, -1)).toEqual({
    state: 'refused',
    reason: expect.stringContaining('conflicts with main'),
  });
});

test('an outage that lasts is not an answer', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [error('unavailable')];
  await expect(mergePinned(forge, opened, text, yes, -1)).rejects.toThrow('unavailable');
});

test('what the forge’s own rules refuse is refused in its words', async () => {
  const forge = forgeWith();
  forge.mergeErrors = [error('unapproved')];
  expect(await mergePinned(forge, opened, text, yes)).toEqual({
    state: 'refused',
    reason: expect.stringContaining('The forge does not let us merge #1: unapproved.'),
  });
});

test.each(['unapproved', 'forbidden', 'missing', 'invalid'] as const)(
  'what a rule or a right forbids (%s) is told after one try, and as no conflict',
  async (kind) => {
    const forge = forgeWith();
    forge.mergeErrors = [error(kind), error(kind)];
    const merged = await mergePinned(forge, opened, text, yes);
    expect(merged).toEqual({ state: 'refused', reason: expect.not.stringContaining('conflicts') });
    expect(forge.mergeErrors).toHaveLength(1);
  },
);

test('a forge that says for how long it wants to be left alone is not asked again here', async () => {
  const forge = forgeWith();
  const busy = new ForgeError('unavailable', 'Busy.', { retryAfterMs: 60_000 });
  forge.mergeErrors = [{ error: busy }, { error: busy }];
  await expect(mergePinned(forge, opened, text, yes)).rejects.toBe(busy);
  expect(forge.mergeErrors).toHaveLength(1);
});

test.each(['auth', 'rate-limited'] as const)('%s is not asked again here', async (kind) => {
  const forge = forgeWith();
  forge.mergeErrors = [error(kind), error(kind)];
  await expect(mergePinned(forge, opened, text, yes)).rejects.toMatchObject({ kind });
  expect(forge.mergeErrors).toHaveLength(1);
});
