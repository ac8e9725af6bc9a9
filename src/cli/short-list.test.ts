import { expect, test } from 'vitest';
import type { ListedChange, ListedEnvironment } from '../client.ts';
import { inShort } from './short-list.ts';

const now = Date.parse('2026-01-02T08:00:00.000Z');
const change = (state: ListedChange['state'], finishedAt?: string): ListedChange => ({
  change: `claims/${'a'.repeat(40)}`,
  service: 'claims',
  commit: 'a'.repeat(40),
  state,
  workflowId: 'w',
  startedAt: '2026-01-01T00:00:00.000Z',
  ...(finishedAt !== undefined && { finishedAt }),
});
const environment = (number: number, more: Partial<ListedEnvironment> = {}): ListedEnvironment => ({
  environment: 'dev',
  service: `s${number}`,
  state: 'succeeded',
  ...more,
});
const listOf = (changes: ListedChange[], environments: ListedEnvironment[]) =>
  inShort({ changes, environments, problems: [] }, now);

test('what is on its way or failed of late is shown, and how much more there is', () => {
  const kept = [
    change('running'),
    change('waiting'),
    change('failed', '2026-01-02T07:00:00.000Z'),
    change('rejected', '2026-01-01T09:00:00.000Z'),
  ];
  const others = [
    change('succeeded', '2026-01-02T07:59:00.000Z'),
    change('superseded', '2026-01-02T07:59:00.000Z'),
    change('failed', '2026-01-01T07:00:00.000Z'),
  ];
  const { changes, leftOut } = listOf([...kept, ...others], []);
  expect(changes).toEqual(kept);
  expect(leftOut).toEqual({ changes: 3, environments: 0 });
});

test('a screenful of environments is shown whole; of more, those with something to see', () => {
  const few = Array.from({ length: 20 }, (_, number) => environment(number));
  expect(listOf([], few).environments).toEqual(few);

  const unusual = [
    environment(21, { state: 'waiting' }),
    environment(22, { state: 'failed' }),
    environment(23, {
      live: { health: 'Degraded', sync: 'Synced', drift: { what: 'It crashes.', remedy: 'Mend it.' } },
    }),
  ];
  expect(listOf([], [...few, ...unusual])).toMatchObject({
    environments: unusual,
    leftOut: { environments: 20 },
  });
});
