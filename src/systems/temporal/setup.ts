import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import { nightlyBackupId, pollId, scheduledDrillId } from '../../model/temporal/workflow-ids.ts';
import { taskQueue } from '../../model/temporal/task-queues.ts';
import { SystemError } from '../system-error.ts';
import type { BackupInput } from '../../model/recovery/backup.ts';
import type { Prepared } from '../prepared.ts';
import { attributes } from '../../model/temporal/search-attributes.ts';

/** `INDEXED_VALUE_TYPE_KEYWORD` of temporal/api/enums/v1/common.proto: all our attributes are keywords. */
const keyword = 2;

const names = Object.values(attributes).map(({ name }) => name);

/**
 * Which of the search attributes that workflows are found by are not registered.
 *
 * @throws SystemError: one is there with another type
 */
export async function missingSearchAttributes({ connection, options }: Client): Promise<string[]> {
  const { namespace } = options;
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wrong = names.filter((name) => (customAttributes[name] ?? keyword) !== keyword);
  if (wrong.length > 0) {
    throw new SystemError(
      `Namespace ${namespace} has search attributes of another type than Keyword: ${wrong.join(', ')}.`,
      { advice: 'Remove or rename them.' },
    );
  }
  return names.filter((name) => customAttributes[name] === undefined);
}

/**
 * Registers those that are missing. Those that are there stay as they are.
 *
 * @throws SystemError: one is there with another type
 */
export async function registerSearchAttributes(client: Client): Promise<Prepared[]> {
  const { connection, options } = client;
  const { namespace } = options;
  const missing = await missingSearchAttributes(client);
  if (missing.length > 0) {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
  }
  return names.map((name) => ({
    what: `search attribute ${name}`,
    state: missing.includes(name) ? 'created' : 'there',
  }));
}

/** A delivery may wait a week for a review and a day for decisions, and people look back for a while. */
const retentionWantedDays = 30;

/** How long the namespace keeps closed workflows. It belongs to whoever runs Temporal, so it is only advised on. */
export async function checkRetention({ connection, options }: Client): Promise<Prepared> {
  const { namespace } = options;
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const what = `retention of namespace ${namespace}`;
  if (days >= retentionWantedDays) return { what, state: 'there', detail: `${days} days` };
  return {
    what,
    state: 'advice',
    detail: `Closed deliveries vanish from Temporal after ${days} days.`,
    advice: `Keep them longer: temporal operator namespace update --namespace ${namespace} --retention 90d`,
  };
}

/** Forges do not send a lost webhook again; five minutes late is what people put up with. */
const pollEvery = '5 minutes';

/** Creates the schedule that looks at the repository, or brings it up to date. */
export function schedulePoll(client: Client, platform: string): Promise<Prepared> {
  const scheduleId = pollId(platform);
  return ensureSchedule(client, {
    scheduleId,
    spec: { intervals: [{ every: pollEvery }], jitter: '30 seconds' },
    action: {
      ...startAs(platform, scheduleId),
      workflowType: 'pollRepository',
      args: [{ platform }],
      // The next poll sees what this one would have.
      workflowExecutionTimeout: pollEvery,
    },
    // What is pushed from now on is new.
    state: { triggerImmediately: true },
    // After an outage one poll catches up with all that was missed.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  });
}

interface Timetable {
  schedule: string;
  timeZone: string;
}

/** Creates the schedule of the nightly backup, or brings it up to date. */
export function scheduleBackup(client: Client, of: BackupInput, when: Timetable): Promise<Prepared> {
  const { platform, cluster } = of;
  const scheduleId = nightlyBackupId(platform, cluster);
  const action = { ...startAs(platform, scheduleId), workflowType: 'nightlyBackup', args: [of] };
  return ensureSchedule(client, { scheduleId, ...at(when), action });
}

/** Creates the schedule of drills, or brings it up to date. */
export function scheduleDrill(client: Client, of: BackupInput, when: Timetable): Promise<Prepared> {
  const { platform, cluster } = of;
  const scheduleId = scheduledDrillId(platform, cluster);
  const action = {
    ...startAs(platform, scheduleId),
    workflowType: 'recreateCluster',
    args: [{ ...of, drill: true }],
    staticSummary: `drill for ${cluster}`,
  };
  return ensureSchedule(client, { scheduleId, ...at(when), action });
}

const startAs = (platform: string, workflowId: string) => ({
  type: 'startWorkflow' as const,
  workflowId,
  taskQueue: taskQueue(platform, 'delivery'),
  typedSearchAttributes: [{ key: attributes.platform, value: platform }],
});

/** What an outage of Temporal swallowed is made up for, once. */
const at = ({ schedule, timeZone }: Timetable) => ({
  spec: { cronExpressions: [schedule], timezone: timeZone },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' as const },
});

async function ensureSchedule(client: Client, schedule: ScheduleOptions): Promise<Prepared> {
  const { scheduleId } = schedule;
  const what = `schedule ${scheduleId}`;
  const handle = client.schedule.getHandle(scheduleId);
  try {
    await handle.update(({ state }) => ({ ...schedule, state }));
    return { what, state: 'updated' };
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  await client.schedule.create(schedule);
  return { what, state: 'created' };
}
