import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Recreation } from '../model/recovery/recreation.ts';
import { drawRecreation, recreationLines } from './draw-recreation.ts';

const at = (minute: number) => `2026-01-01T08:${String(minute).padStart(2, '0')}:00.000Z`;
const now = Date.parse(at(9));
const key = 'argocd/live/2026-01-01/020000Z-0000000000000000';

const running: Recreation = {
  cluster: 'live',
  drill: false,
  state: 'running',
  startedAt: at(0),
  plan: { backup: { key, sha256: '0', createdAt: at(0) }, waves: [], roots: 1 },
  phases: [
    { name: 'check', state: 'succeeded', startedAt: at(0), finishedAt: at(1), detail: '45 Applications' },
    {
      name: 'sync',
      state: 'running',
      startedAt: at(1),
      detail: 'wave 2 of 5',
      progress: '37 of 200 Applications',
    },
    { name: 'finish', state: 'pending' },
  ],
};
const failed: Recreation = {
  ...running,
  state: 'failed',
  finishedAt: at(9),
  reason: '1 of 200 Applications is not back.\u001B[2J',
  phases: running.phases.map((phase) => ({ ...phase, state: 'succeeded' as const })),
};

test('the picture shows each phase, how long it took, and how far it is', () => {
  expect(stripVTControlCharacters(drawRecreation(running, now, 80))).toBe(
    [
      `recreation of live  from ${key}`,
      '',
      '  ✔ check    1m 00s  45 Applications',
      '  ▶ sync     8m 00s  wave 2 of 5',
      '                     37 of 200 Applications',
      '  ○ finish',
      '',
      '  ▶ running 9m 00s',
    ].join('\n'),
  );
});

test('in the end it shows how it ended, and nothing that others could hide in it', () => {
  const picture = drawRecreation(failed, now, 80);
  expect(picture).not.toContain('\u001B[2J');
  expect(stripVTControlCharacters(picture)).toMatch(
    /✖ failed 9m 00s\n {2}1 of 200 Applications is not back\.$/,
  );
});

test('a log gets a line for each change, and none when nothing changed', () => {
  const say = (before: Recreation | undefined, after: Recreation) =>
    recreationLines(before, after, new Date(now)).map((line) => line.replace(`${at(9)} `, ''));
  expect(say(undefined, running)).toEqual([
    'recreation of live: check succeeded in 1m 00s: 45 Applications',
    'recreation of live: sync running: wave 2 of 5: 37 of 200 Applications',
  ]);
  expect(say(running, structuredClone(running))).toEqual([]);
  const further = structuredClone(running);
  for (const phase of further.phases) if (phase.progress) phase.progress = '40 of 200 Applications';
  expect(say(running, further)).toEqual([
    'recreation of live: sync running: wave 2 of 5: 40 of 200 Applications',
  ]);
  expect(say(failed, { ...failed, state: 'failed' })).toEqual([]);
  expect(say(further, failed).at(-1)).toBe('recreation of live: failed: 1 of 200 Applications is not back.');
});
