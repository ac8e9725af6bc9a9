import { expect, test } from 'vitest';
import { contractQueues } from '../../test/support/contract-queues.ts';
import { queues } from '../model/temporal/task-queues.ts';
import { activitiesOf } from './activities.ts';

/** Stands for every system: activities are made without touching one. */
const untouched: never = new Proxy((() => undefined) as never, { get: () => untouched });

test.for(queues)('workers of %s can do what belongs there, and nothing else', (queue) => {
  const belongs = Object.entries(contractQueues).flatMap(([activity, on]) => {
    const here = on === queue || (on === "the environment's" && ['delivery', 'production'].includes(queue));
    return here ? activity : [];
  });
  expect(Object.keys(activitiesOf[queue](untouched, '/tmp')).toSorted()).toEqual(belongs.toSorted());
});
