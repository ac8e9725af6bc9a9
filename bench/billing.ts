import { activitiesOf, type Run } from '../test/support/histories.ts';

type Event = NonNullable<Run['history']['events']>[number];

/** What a Temporal that is paid by the action bills, read off histories. */
export interface Bill {
  actions: number;
  /** At most, by how long activities took; billed too. */
  heartbeats: number;
  events: number;
}

/** An activity beats two seconds after it began, and the worker passes on one beat in five seconds. */
const firstBeatMs = 2000;
const beatsEveryMs = 5000;

/**
 * By https://docs.temporal.io/cloud/actions, which has no memo among them. Queries stand in no history: whoever watches a
 * delivery pays for looking.
 */
export function billOf(runs: readonly Run[]): Bill {
  const events = runs.flatMap(({ history }) => history.events ?? []);
  const beating = runs.flatMap(activitiesOf).filter(({ ms }) => ms >= firstBeatMs);
  return {
    actions: sum(events.map(actionsOf)),
    heartbeats: sum(beating.map(({ ms }) => 1 + Math.floor((ms - firstBeatMs) / beatsEveryMs))),
    events: events.length,
  };
}

/** Attempts that failed leave no event of their own: the last one has their number. */
function actionsOf(event: Event): number {
  if (event.startChildWorkflowExecutionInitiatedEventAttributes) return 2;
  if (event.activityTaskStartedEventAttributes) return event.activityTaskStartedEventAttributes.attempt ?? 1;
  const one =
    event.workflowExecutionStartedEventAttributes ??
    event.workflowExecutionSignaledEventAttributes ??
    event.workflowExecutionUpdateAcceptedEventAttributes ??
    event.timerStartedEventAttributes ??
    event.upsertWorkflowSearchAttributesEventAttributes;
  return one ? 1 : 0;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
