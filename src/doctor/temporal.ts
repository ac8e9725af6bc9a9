import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { nightlyBackupId, pollId, scheduledDrillId } from '../model/temporal/workflow-ids.ts';
import { queues, taskQueue, type Queue } from '../model/temporal/task-queues.ts';
import { failingWorkflows, unansweredDeliveries } from '../client/list-problems.ts';
import { connectClient, connectionSettings } from '../systems/temporal/connect.ts';
import { reportsProblems } from '../systems/temporal/failing-workflows.ts';
import { checkRetention, missingSearchAttributes } from '../systems/temporal/setup.ts';
import { workersOf, type QueueState } from '../systems/temporal/workers.ts';
import { keysInUse } from '../systems/temporal/keys-in-use.ts';
import { payloadKeysOf } from '../wiring/payload-keys.ts';
import { failed, ok, warning, type Check, type Finding } from './check.ts';

/** Temporal itself, what `gitops setup` leaves in it, and who works there. */
export const temporal: Check = {
  name: 'Temporal',
  async *look({ config }) {
    const { platform, backup, recreation } = config;
    const client = await connectClient(payloadKeysOf(config));
    try {
      const { namespace, options } = connectionSettings();
      // Connecting asks for no namespace; this does.
      const kept = await retention(client);
      yield ok('Temporal', `Namespace ${namespace} at ${options.address} answers.`);
      yield kept;
      yield await searchAttributes(client);
      const keys = config.temporal?.codec?.keys ?? [];
      if (keys.length > 0) {
        yield payloadKeys(
          keys.map(({ id }) => id),
          await keysInUse(client, platform),
        );
      }
      yield await schedule(
        client,
        'poll of the repository',
        pollId(platform),
        'what a lost webhook told goes unseen',
      );
      if (backup) {
        const id = nightlyBackupId(platform, backup.cluster);
        yield await schedule(client, 'nightly backup', id, 'there will be no more backups');
      }
      if (backup && recreation.drill) {
        const id = scheduledDrillId(platform, backup.cluster);
        yield await schedule(client, 'drills', id, 'no backup is tried any more');
      }
      // Where nothing is backed up there is nothing to recover.
      const needed = queues.filter((queue) => queue !== 'recovery' || backup !== undefined);
      const states = await workersOf(client, platform, needed);
      yield* workers(platform, states);
      const canAsk = states.some(({ queue, live }) => queue === 'delivery' && live.length > 0);
      yield* standstill(client, platform, canAsk);
    } finally {
      await client.connection.close();
    }
  },
};

async function retention(client: Client): Promise<Finding> {
  const { detail = '', advice } = await checkRetention(client);
  const name = 'retention';
  return advice === undefined
    ? ok(name, `Closed workflows stay in Temporal for ${detail}.`)
    : warning(name, detail, advice);
}

async function searchAttributes(client: Client): Promise<Finding> {
  const name = 'search attributes';
  const missing = await missingSearchAttributes(client);
  return missing.length === 0
    ? ok(name, 'All are registered.')
    : failed(name, `Temporal does not know ${missing.join(', ')}.`, 'Run: gitops setup');
}

/** @param known IDs, the one that encrypts first @param used how many open workflows began under each */
export function payloadKeys(known: readonly string[], used: ReadonlyMap<string, number>): Finding {
  const name = 'payload keys';
  const counted = (ids: string[]) => ids.map((id) => `${id} (${used.get(id)})`).join(', ');
  const missing = [...used.keys()].filter((id) => !known.includes(id));
  if (missing.length > 0) {
    return failed(
      name,
      `Open workflows are encrypted with keys that are not in temporal.codec.keys: ${counted(missing)}. They stand still.`,
      'Add the keys, and restart the workers. docs/runbooks/payload-encryption.md tells more.',
    );
  }
  const older = [...used.keys()].filter((id) => id !== known[0]);
  return ok(
    name,
    older.length === 0
      ? `${known[0]} encrypts; no open workflow needs another.`
      : `${known[0]} encrypts; open workflows need, beside it: ${counted(older)}.`,
  );
}

async function schedule(client: Client, name: string, id: string, without: string): Promise<Finding> {
  try {
    const { state } = await client.schedule.getHandle(id).describe();
    if (!state.paused) return ok(name, `Schedule ${id} is there.`);
    const remedy = `Run: temporal schedule toggle --unpause --schedule-id ${id}`;
    return warning(name, `It is paused: ${without}.`, remedy);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return failed(name, `There is no schedule ${id}.`, 'Run: gitops setup');
  }
}

/** @param canAsk whether a worker could say what a delivery waits for */
async function* standstill(client: Client, platform: string, canAsk: boolean): AsyncGenerator<Finding> {
  const name = 'workflows';
  if (!(await reportsProblems(client))) {
    yield warning(
      name,
      'This Temporal does not tell which workflows have code that cannot go on.',
      'Use Temporal 1.30 or newer, with system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute above 0.',
    );
  }
  const failing = await failingWorkflows(client, platform);
  const problems = canAsk ? [...failing, ...(await unansweredDeliveries(client, platform))] : failing;
  for (const { message, runbook, since } of problems) {
    const lasted = since === undefined ? '' : `Since ${since}: `;
    yield failed(name, lasted + message, `Follow ${runbook}.`);
  }
  if (problems.length === 0) yield ok(name, 'None stands still.');
}

function* workers(platform: string, states: readonly QueueState[]): Generator<Finding> {
  const serving = new Map<Queue, string[]>();
  for (const { queue, live, lastSeenMs } of states) {
    serving.set(queue, live);
    const name = `worker for ${queue}`;
    const since = lastSeenMs === undefined ? '' : ` since ${new Date(lastSeenMs).toISOString()}`;
    yield live.length > 0
      ? ok(name, `Served by ${live.join(', ')}.`)
      : failed(
          name,
          `Nobody serves ${taskQueue(platform, queue)}${since}.`,
          `Run: gitops worker --queues ${queue}`,
        );
  }
  yield separation(serving);
  const writers = new Set([...(serving.get('build') ?? []), ...(serving.get('production') ?? [])]);
  const both = (serving.get('recovery') ?? []).filter((worker) => writers.has(worker));
  if (both.length > 0) {
    yield warning(
      'separation of recovery',
      `${both.join(', ')} can open backups, beside builds or what writes them: that is for laptops.`,
      'Run it apart, and give the identity to it alone: gitops worker --queues recovery',
    );
  }
}

function separation(serving: Map<Queue, string[]>): Finding {
  const name = 'separation of workers';
  const trusted = new Set([...(serving.get('delivery') ?? []), ...(serving.get('production') ?? [])]);
  const both = (serving.get('build') ?? []).filter((worker) => trusted.has(worker));
  if (both.length === 0) return ok(name, 'Tests and builds run apart from what may change environments.');
  return warning(
    name,
    `${both.join(', ')} runs tests and builds, which are other people's code, beside the credentials for production: that is for laptops.`,
    'Run them apart: gitops worker --queues build; --queues delivery,wait; --queues production',
  );
}
