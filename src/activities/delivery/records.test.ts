import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { openRun } from '../../../test/support/open-run.ts';
import type { Delivery } from '../../model/delivery/delivery.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import type { Systems } from '../systems.ts';
import { createRecordActivities } from './records.ts';

const delivery: Delivery = {
  ...{ change: `claims/${'a'.repeat(40)}`, service: 'claims', commit: 'a'.repeat(40), state: 'succeeded' },
  steps: [{ name: 'verify', state: 'succeeded', startedAt: '2026-01-02T00:00:00Z' }],
  environments: {},
};

/** Records it over what is stored. @returns what is stored then */
async function recorded(stored: string): Promise<unknown> {
  let body = stored;
  const objects = {
    get: async () => ({ body, etag: 'x' }),
    put: async (_: string, text: string) => Boolean((body = text)),
  } as Partial<ObjectStore> as ObjectStore;
  const activities = createRecordActivities({
    objects,
    temporal: openRun,
  } as unknown as Systems);
  const environment = new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'r' } });
  await environment.run(() => activities.recordDelivery({ delivery }));
  return JSON.parse(body);
}

test('an earlier delivery of the change is one of its attempts', async () => {
  const steps = [{ name: 'verify', state: 'failed', startedAt: 'earlier', finishedAt: 'later' }];
  expect(await recorded(JSON.stringify({ ...delivery, state: 'failed', steps }))).toEqual({
    ...delivery,
    attempts: [{ state: 'failed', startedAt: 'earlier', finishedAt: 'later' }],
  });
});

test.each(['', '{"state": "succ', 'null', '{}', '[]', '{"state": "failed", "steps": 7}'])(
  'a document that somebody damaged (%j) keeps no delivery from its end',
  async (stored) => expect(await recorded(stored)).toEqual(delivery),
);
