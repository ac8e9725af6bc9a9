import { expect, test } from 'vitest';
import { billOf } from './billing.ts';

const seconds = (value: number) => ({ eventTime: { seconds: value } as never });

const upsertOf = (key: string) => ({
  upsertWorkflowSearchAttributesEventAttributes: { searchAttributes: { indexedFields: { [key]: {} } } },
});

test('actions are what is billed, attempts that failed among them; heartbeats stand apart', () => {
  const events = [
    { workflowExecutionStartedEventAttributes: {} },
    { workflowTaskScheduledEventAttributes: {} },
    { workflowTaskStartedEventAttributes: {} },
    { workflowTaskCompletedEventAttributes: {} },
    {
      activityTaskScheduledEventAttributes: {
        activityType: { name: 'testService' },
        heartbeatTimeout: { seconds: 25 as never },
      },
    },
    { ...seconds(100), activityTaskStartedEventAttributes: { attempt: 3 } },
    {
      ...seconds(133),
      activityTaskCompletedEventAttributes: { scheduledEventId: 5 as never, startedEventId: 6 as never },
    },
    { timerStartedEventAttributes: {} },
    { timerFiredEventAttributes: {} },
    { workflowExecutionSignaledEventAttributes: {} },
    { workflowExecutionUpdateAcceptedEventAttributes: {} },
    { workflowExecutionUpdateCompletedEventAttributes: {} },
    upsertOf('GitopsState'),
    upsertOf('TemporalChangeVersion'),
    { startChildWorkflowExecutionInitiatedEventAttributes: {} },
    { workflowExecutionCompletedEventAttributes: {} },
  ];
  expect(billOf([{ workflowId: 'p/deliver/web/1', type: 'deliverService', history: { events } }])).toEqual({
    actions: 1 + 3 + 1 + 1 + 1 + 1 + 2,
    heartbeats: 2, // After 15 and 30 of its 33 seconds.
    heartbeatsBefore: 7, // After 2, 7, 12, 17, 22, 27 and 32.
    events: 16,
  });
});

test('a signal that starts its workflow is billed with the start, any other one by itself', () => {
  const signalled = (eventId: number) => [
    { workflowExecutionStartedEventAttributes: {} },
    { eventId: eventId as never, workflowExecutionSignaledEventAttributes: {} },
  ];
  const bill = (eventId: number) =>
    billOf([
      { workflowId: 'p/environment/dev/web', type: 'environment', history: { events: signalled(eventId) } },
    ]);
  expect(bill(2).actions).toBe(1);
  expect(bill(3).actions).toBe(2);
});
