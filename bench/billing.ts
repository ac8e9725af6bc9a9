import { heartbeatShare } from '../src/worker/heartbeats.ts';
import { activitiesOf, type Run } from '../test/support/histories.ts';

type Event = NonNullable<Run['history']['events']>[number];

/** What a Temporal that is paid by the action bills, read off histories. */
export interface Bill {
  actions: number;
  /** At most, by how long activities took; billed too. */
  heartbeats: number;
  /** What they would be at the rhythm of 0.1: two seconds after an activity began, and every five from then on. */
  heartbeatsBefore: number;
  events: number;
}

/**
 * By https://docs.temporal.io/cloud/actions, which has no memo among them, takes a start with a signal for one, and leaves
 * out what `patched` notes in TemporalChangeVersion. Queries stand in no history: whoever watches a delivery pays for
 * looking.
 */
export function billOf(runs: readonly Run[]): Bill {
  const events = runs.flatMap(({ history }) => history.events ?? []);
  const activities = runs.flatMap(activitiesOf);
  return {
    actions: sum(events.map(actionsOf)),
    heartbeats: sum(
      activities.map(({ ms, heartbeatTimeoutMs }) => {
        const every = heartbeatShare * heartbeatTimeoutMs;
        return beats(ms, every, every);
      }),
    ),
    heartbeatsBefore: sum(activities.map(({ ms }) => beats(ms, 2000, 5000))),
    events: events.length,
  };
}

const beats = (ms: number, firstMs: number, everyMs: number): number =>
  ms < firstMs ? 0 : 1 + Math.floor((ms - firstMs) / everyMs);

/** Attempts that failed leave no event of their own: the last one has their number. */
function actionsOf(event: Event): number {
  if (event.startChildWorkflowExecutionInitiatedEventAttributes) return 2;
  if (event.activityTaskStartedEventAttributes) return event.activityTaskStartedEventAttributes.attempt ?? 1;
  if (event.workflowExecutionSignaledEventAttributes) return cameWithStart(event) ? 0 : 1;
  const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  if (upserted) return Object.keys(upserted).every((key) => key === 'TemporalChangeVersion') ? 0 : 1;
  const one =
    event.workflowExecutionStartedEventAttributes ??
    event.workflowExecutionUpdateAcceptedEventAttributes ??
    event.timerStartedEventAttributes;
  return one ? 1 : 0;
}

/** Any other signal comes after the first workflow task was scheduled. */
const cameWithStart = ({ eventId }: Event): boolean => Number(eventId) === 2;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
