import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';

vi.stubEnv('GITOPS_STACK_BUILD_ORDER', 'second-built first-built');
const { counted, turnOf } = await import('./build-order.ts');

test('a part is there in its turn, once nothing happens any more without it; others are there at once', async () => {
  const events: string[] = [];
  const happened = (what: string) => () => void events.push(what);
  await Promise.all([
    turnOf('first-built').then(happened('first-built')),
    turnOf('another').then(happened('another')),
    turnOf('second-built')
      .then(happened('second-built'))
      .then(() => counted(sleep(1500).then(happened('what second-built lets start')))),
    counted(sleep(1000).then(happened('what needs neither'))),
  ]);
  expect(events).toEqual([
    ...['another', 'what needs neither', 'second-built', 'what second-built lets start', 'first-built'],
  ]);
});
