import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { stringify } from 'yaml';
import { createClient, type Delivery } from '../../src/client.ts';
import type { Change } from '../../src/model/delivery/change.ts';
import { runsOf } from '../../test/support/histories.ts';
import { startTemporal } from '../../test/support/temporal.ts';
import { billOf } from '../billing.ts';
import { interleaved, judged, over, side, type Parameters, type Report } from '../harness.ts';
import { listed } from './listed.ts';
import { configurationOf } from './configuration.ts';
import { commitOf, type Crowd } from './parameters.ts';
import type { Usage } from './worker.ts';

const small = { services: 10, each: 5 };
const large = { services: 100, each: 5 };
/** The first deliveries of a process compile what the later ones use. */
const usualWarmUp = 20;
const idle = { waits: 500, ms: 30_000 };

const syncMs = 500;
/** So many are started at a time. */
const batch = 20;
const costBar = { atMost: 1.2 };

interface Cost {
  seconds: number;
  deliveries: number;
  succeeded: number;
  cpuSeconds: number;
  peakMemory: number;
  actions: number;
}

/**
 * 500 deliveries of 100 services at once, against 50 of 10: what one costs must not grow with the crowd. Systems are
 * stood in for, so that it is this program and Temporal that are measured.
 */
export async function run({ rounds = 3 }: Parameters = {}): Promise<Report> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const costs = { '50 deliveries': [] as Cost[], '500 deliveries': [] as Cost[] };
  const measuring = (name: keyof typeof costs, size: typeof small) => async () => {
    const cost = await delivered(size);
    costs[name].push(cost);
    return cost.seconds;
  };
  await interleaved(rounds, {
    '50 deliveries': measuring('50 deliveries', small),
    '500 deliveries': measuring('500 deliveries', large),
  });
  const waiting = await waited();
  const listing = await listed(rounds);

  const each = (name: keyof typeof costs, of: (cost: Cost) => number) => costs[name].map(of);
  const report: Report = { sides: {}, ratios: {} };
  for (const name of Object.keys(costs) as (keyof typeof costs)[]) {
    const figures = {
      'deliveries a second': each(name, ({ deliveries, seconds }) => deliveries / seconds),
      'that reached production': each(name, ({ deliveries, succeeded }) => (100 * succeeded) / deliveries),
      'worker CPU a delivery': each(name, cpu),
      'worker peak memory': each(name, ({ peakMemory }) => peakMemory),
      'Temporal actions a delivery': each(name, actions),
    };
    const units = ['', '%', 'ms', 'MB', 'actions'];
    for (const [index, [what, samples]] of Object.entries(figures).entries()) {
      report.sides[`${name}: ${what}`] = side(units[index] ?? '', samples);
    }
  }
  for (const [what, of] of Object.entries({ 'worker CPU': cpu, 'Temporal actions': actions })) {
    const ratio = over(each('500 deliveries', of), each('50 deliveries', of));
    report.ratios[`${what} a delivery: 500 / 50`] = judged(ratio, costBar);
  }
  report.sides['idle worker: CPU'] = side('% of a core', [waiting.without]);
  report.sides[`${idle.waits} waits for health, nothing happens: CPU`] = side('% of a core', [waiting.with]);
  Object.assign(report.sides, listing.sides);
  report.bounds = listing.bounds;
  return report;
}

const cpu = ({ cpuSeconds, deliveries }: Cost): number => (1000 * cpuSeconds) / deliveries;
const actions = ({ actions: all, deliveries }: Cost): number => all / deliveries;

const names = (count: number, prefix = 'service'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);

const changesOf = (services: string[], each: number): Change[] =>
  services.flatMap((service) =>
    Array.from({ length: each }, (_, index) => ({ service, commit: commitOf(service, index + 1) })),
  );

/** As fast as the server takes them. @returns IDs of their workflows */
async function starting(platform: string, client: Client, changes: Change[]): Promise<string[]> {
  const gitops = createClient(client, platform);
  const started: { workflowId: string }[] = [];
  for (let done = 0; done < changes.length; done += batch) {
    const some = changes.slice(done, done + batch).map((change) => gitops.deliver(change));
    started.push(...(await Promise.all(some)));
  }
  return started.map(({ workflowId }) => workflowId);
}

/** Until all have ended, also when one fails: who still waits must not find the server gone. */
async function delivering(platform: string, client: Client, changes: Change[]): Promise<Delivery[]> {
  const ids = await starting(platform, client, changes);
  const ended = await Promise.allSettled(ids.map((id) => client.workflow.getHandle(id).result()));
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value as Delivery;
  });
}

/** All changes of some services, started at once. */
export async function delivered({ services, each }: typeof small, warmUp = usualWarmUp): Promise<Cost> {
  const own = names(services);
  const warming = names(warmUp, 'warm');
  const environments = ['dev', 'staging', 'production'];
  // The repository is as large on both sides.
  const known = [...names(large.services), ...warming];
  return withWorker({ services: known, each, environments, syncMs }, async (platform, client, usage) => {
    await delivering(platform, client, changesOf(warming, 1));

    const before = await usage();
    const start = performance.now();
    const ended = await delivering(platform, client, changesOf(own, each));
    const seconds = (performance.now() - start) / 1000;
    const after = await usage();
    const runs = await runsOf(client, platform);
    const ours = runs.filter(({ workflowId }) => own.some((name) => workflowId.split('/').includes(name)));
    return {
      seconds,
      deliveries: ended.length,
      succeeded: ended.filter(({ state }) => state === 'succeeded').length,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      peakMemory: after.peakMemory,
      actions: billOf(ours).actions,
    };
  });
}

/** What a worker takes while so many wait for a sync that does not end. */
async function waited(): Promise<{ with: number; without: number }> {
  const services = names(idle.waits);
  const crowd = { services, each: 1, environments: ['dev'] };
  return withWorker(crowd, async (platform, client, usage) => {
    async function measured(): Promise<number> {
      const before = await usage();
      await delay(idle.ms);
      return ((await usage()).cpuSeconds - before.cpuSeconds) / (idle.ms / 100_000);
    }
    const without = await measured();
    await starting(platform, client, changesOf(services, 1));
    while ((await usage()).waits < idle.waits) await delay(500);
    await delay(5000);
    return { with: await measured(), without };
  });
}

/** A worker with a platform and a Temporal of its own. */
async function withWorker<T>(
  crowd: Crowd,
  work: (platform: string, client: Client, usage: () => Promise<Usage>) => Promise<T>,
): Promise<T> {
  const platform = 'crowd';
  const folder = await mkdtemp(join(tmpdir(), 'bench-crowd-'));
  const temporal = await startTemporal();
  const configuration = join(folder, 'gitops.yaml');
  await writeFile(configuration, stringify(configurationOf(platform, crowd.environments)));
  const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [JSON.stringify(crowd)], {
    // As bin/gitops.js starts it.
    execArgv: ['--max-semi-space-size=8'],
    env: {
      ...process.env,
      TEMPORAL_ADDRESS: temporal.address,
      GITOPS_CONFIG: configuration,
      GITOPS_WORK_DIRECTORY: join(folder, 'work'),
    },
  });
  try {
    await once(worker, 'message');
    return await work(platform, temporal.client, () => usageOf(worker));
  } finally {
    worker.kill('SIGTERM');
    if (worker.exitCode === null) await once(worker, 'exit');
    await temporal.teardown();
    await rm(folder, { recursive: true, force: true });
  }
}

async function usageOf(worker: ChildProcess): Promise<Usage> {
  worker.send('usage');
  const [usage] = (await once(worker, 'message')) as [Usage];
  return usage;
}
