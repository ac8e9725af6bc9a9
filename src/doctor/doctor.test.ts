import { expect, test } from 'vitest';
import { SystemError } from '../systems/system-error.ts';
import { ok, type Check } from './check.ts';
import { onBuildOptions } from './cluster.ts';
import { examineAll } from './index.ts';
import { payloadKeys } from './temporal.ts';
import type { World } from './world.ts';

const nowhere = {} as World;
const check = (name: string, look: Check['look']): Check => ({ name, look });
const examine = (...checks: Check[]) => examineAll(checks, nowhere, 100, () => undefined);

test('a system that gives no answer hides neither the others nor what was found before', async () => {
  const silent = check('silent', async function* () {
    yield ok('port', 'It is open.');
    await new Promise(() => undefined);
  });
  const well = check('well', async function* () {
    yield ok('well', 'It is.');
  });
  expect(await examine(silent, well)).toEqual([
    { name: 'port', state: 'ok', detail: 'It is open.' },
    {
      name: 'silent',
      state: 'failed',
      detail: 'Gave no answer within 0.1 seconds.',
      remedy: expect.stringMatching(/firewall/),
      unreachable: true,
    },
    { name: 'well', state: 'ok', detail: 'It is.' },
  ]);
});

test('what a system says of its failure is the finding, and its advice the remedy', async () => {
  const down = check('down', async function* () {
    yield ok('down', 'It is asked.');
    throw new SystemError('Nobody listens at port 9.', { advice: 'Start it.', unreachable: true });
  });
  const [, finding] = await examine(down);
  expect(finding).toEqual({
    name: 'down',
    state: 'failed',
    detail: 'Nobody listens at port 9.',
    remedy: 'Start it.',
    unreachable: true,
  });
});

test('what is still looked at is told', async () => {
  const told: string[][] = [];
  const quick = check('quick', async function* () {
    yield ok('quick', 'Done.');
  });
  await examineAll([quick], nowhere, 100, (names) => told.push(names));
  expect(told).toEqual([['quick'], []]);
});

test('keys that open workflows need are named: those that are missing, and those that are not yet to be removed', () => {
  const used = new Map([
    ['2025', 2],
    ['2026', 7],
  ]);
  expect(payloadKeys(['2026'], used)).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/2025 \(2\)\. They stand still/) as unknown,
  });
  expect(payloadKeys(['2026', '2025'], used)).toMatchObject({
    state: 'ok',
    detail: '2026 encrypts; open workflows need, beside it: 2025 (2).',
  });
  expect(payloadKeys(['2026'], new Map([['2026', 7]]))).toMatchObject({
    detail: '2026 encrypts; no open workflow needs another.',
  });
});

test('options by which Argo CD would render something else are told before a promotion is refused for them', () => {
  expect(onBuildOptions(['--enable-helm', '--load-restrictor', 'LoadRestrictionsNone'])).toEqual({
    name: 'rendering',
    state: 'failed',
    detail:
      'argocd-cm has kustomize.buildOptions --enable-helm LoadRestrictionsNone, with which manifests could run programs or read other files: every promotion is refused.',
    remedy: 'Remove it from that ConfigMap.',
  });
  expect(onBuildOptions([])).toMatchObject({ state: 'ok' });
  expect(onBuildOptions(['--load-restrictor=LoadRestrictionsRootOnly'])).toMatchObject({ state: 'ok' });
});
