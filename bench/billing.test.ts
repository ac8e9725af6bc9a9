import { expect, test } from 'vitest';
import { billOf } from './billing.ts';

const seconds = (value: number) => ({ eventTime: { seconds: value } as never });

test('actions are what is billed, attempts that failed among them; heartbeats stand apart', () => {
  const events = [
    { workflowExecutionStartedEventAttributes: {} },
    { workflowTaskScheduledEventAttributes: {} },
    { workflowTaskStartedEventAttributes: {} },
    { workflowTaskCompletedEventAttributes: {} },
    { activityTaskScheduledEventAttributes: { activityType: { name: 'testService' } } },
    { ...seconds(100), activityTaskStartedEventAttributes: { attempt: 3 } },
    {
      ...seconds(113),
      activityTaskCompletedEventAttributes: { scheduledEventId: 5 as never, startedEventId: 6 as never },
    },
    { timerStartedEventAttributes: {} },
    { timerFiredEventAttributes: {} },
    { workflowExecutionSignaledEventAttributes: {} },
    { workflowExecutionUpdateAcceptedEventAttributes: {} },
    { workflowExecutionUpdateCompletedEventAttributes: {} },
    { upsertWorkflowSearchAttributesEventAttributes: {} },
    { startChildWorkflowExecutionInitiatedEventAttributes: {} },
    { workflowExecutionCompletedEventAttributes: {} },
  ];
  expect(billOf([{ workflowId: 'p/deliver/web/1', type: 'deliverService', history: { events } }])).toEqual({
    actions: 1 + 3 + 1 + 1 + 1 + 1 + 2,
    heartbeats: 3, // After 2, 7 and 12 of its 13 seconds.
    events: 15,
  });
});
