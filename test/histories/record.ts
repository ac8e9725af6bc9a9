import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect } from 'vitest';
import { failed } from '../../src/activities/failures.ts';
import type { RecoveryPoint } from '../../src/model/recovery/backup.ts';
import type { Change } from '../../src/model/delivery/change.ts';
import {
  backupId,
  drillId,
  nightlyBackupId,
  pollId,
  recreationId,
} from '../../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import type { Run } from '../support/histories.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

/** Carries changes that end in all kinds of ways, and writes beside this file what Temporal remembers of them. */
useTemporal();

const at = (position: number): Change => ({ service: 'claims', commit: World.commit(position) });
const change = at(1);
const review = { waitingFor: 'a review of pull request #1: https://forge/1' };
const decisions = { waitingFor: '2 of 2 approvals' };

const shapes: Record<string, (rig: Rig) => Promise<void>> = {
  async delivered(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, decisions);
    await rig.decide('production', { change, verdict: 'approve', by: 'board-1' });
    await rig.decide('production', { change, verdict: 'approve', by: 'board-2' });
    await delivery.result();
  },

  async moved(rig) {
    rig.world.movedDigest = 'sha256:moved';
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    for (const manifestsDigest of [rig.world.manifestsDigest, rig.world.movedDigest]) {
      await rig.sees(change, decisions);
      for (const by of ['board-1', 'board-2']) {
        await expect
          .poll(() => rig.decide('production', { change, verdict: 'approve', by, manifestsDigest }))
          .toMatchObject({ by });
      }
    }
    await delivery.result();
  },

  async 'review-rejected'(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'reject');
    await delivery.result();
  },

  async 'decision-rejected'(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(change, decisions);
    await rig.decide('production', { change, verdict: 'reject', by: 'board-1', reason: 'claims freeze' });
    await delivery.result();
  },

  async cancelled(rig) {
    const delivery = await rig.deliver(change);
    await rig.sees(change, review);
    await delivery.cancel();
    await expect(delivery.result()).rejects.toThrow();
  },

  async superseded(rig) {
    const first = await rig.deliver(change);
    await rig.sees(change, review);
    const second = await rig.deliver(at(2));
    await expect.poll(async () => (await rig.view('staging', 'claims')).waiting.length).toBe(1);
    await rig.deliver(at(3));
    await second.result();
    await rig.review('staging', 'claims', 'reject');
    await first.result();
    await rig.sees(at(3), { state: 'waiting' });
  },

  async unhealthy(rig) {
    rig.world.health = async () => ({ state: 'failed', reason: 'CrashLoopBackOff', health: 'Degraded' });
    await expect((await rig.deliver(change)).result()).rejects.toThrow();
  },

  async 'tests-failed'(rig) {
    rig.world.tests = () => Promise.reject(failed('TestsFailed', 'test_eligibility: expected 422'));
    await expect((await rig.deliver(change)).result()).rejects.toThrow();
  },

  async 'backed-up'(rig) {
    const { platform, temporal } = rig;
    const cluster = 'live';
    const run = (type: string, workflowId: string, more: object = {}) =>
      temporal.client.workflow.execute<() => Promise<RecoveryPoint>>(type, {
        workflowId,
        taskQueue: taskQueue(platform, 'delivery'),
        args: [{ platform, cluster, ...more }] as never,
        typedSearchAttributes: [{ key: attributes.platform, value: platform }],
      });
    const { key } = await run('nightlyBackup', nightlyBackupId(platform, cluster));
    await run('verifyBackup', `${platform}/verify-backup`, { key });
    await run('compareBackups', `${platform}/compare-backups`, { from: key, to: key });
    rig.world.verification = { state: 'suspect', reason: 'It holds no Application.' };
    await expect(run('backUpArgoCd', backupId(platform, cluster))).rejects.toThrow();
  },

  async recreated(rig) {
    const { platform, temporal, world } = rig;
    const cluster = 'live';
    const run = (workflowId: string, more: object = {}) =>
      temporal.client.workflow.execute('recreateCluster', {
        workflowId,
        taskQueue: taskQueue(platform, 'delivery'),
        args: [{ platform, cluster, ...more }],
        typedSearchAttributes: [{ key: attributes.platform, value: platform }],
      });
    await run(recreationId(platform, cluster));
    await run(drillId(platform, cluster, '1'), { drill: true, key: world.plan.backup.key });
    world.report.passed = false;
    await expect(run(recreationId(platform, cluster), { allowOlder: true })).rejects.toThrow();
  },

  async pushed(rig) {
    const { platform, temporal, world } = rig;
    const workflow = (type: string, workflowId: string, input: object) =>
      temporal.client.workflow.execute(type, {
        workflowId,
        taskQueue: taskQueue(platform, 'delivery'),
        args: [input],
        typedSearchAttributes: [{ key: attributes.platform, value: platform }],
      });
    const seen = { environment: 'staging', service: 'claims', updatedAt: '2026-01-01T00:00:00Z' };
    world.changes = [{ change, subject: 'a change' }];
    world.look = {
      before: { tip: World.commit(0), pullRequests: {} },
      now: { tip: World.commit(1), pullRequests: { 7: seen } },
      deliverOnPush: true,
    };
    await workflow('resolveChanges', `${platform}/resolve`, { since: World.commit(0) });
    await workflow('pollRepository', pollId(platform), { platform });
    await rig.sees(change, review);
  },
};

for (const [shape, happen] of Object.entries(shapes)) {
  test(shape, async ({ rig }) => {
    await happen(rig);
    write(shape, await rig.close());
  });
}

/** A file a run: `<shape>/<type>-<environment>-<number>.json`, an event a line. */
function write(shape: string, runs: Run[]): void {
  const folder = fileURLToPath(new URL(`${shape}/`, import.meta.url));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const numbers = new Map<string, number>();
  for (const { workflowId, type, history } of runs.toReversed()) {
    const name = type === 'environment' ? `${type}-${workflowId.split('/')[2]}` : type;
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    const { events } = JSON.parse(historyToJSON(history), withoutTraces) as { events: object[] };
    const lines = events.map((event) => JSON.stringify(event));
    writeFileSync(`${folder}${name}-${number}.json`, `{"events":[\n${lines.join(',\n')}\n]}\n`);
  }
}

/** Leaves out where it ran and who ran it: no replay reads that. */
function withoutTraces(key: string, value: unknown): unknown {
  if (['stackTrace', 'identity', 'workerVersion', 'prevAutoResetPoints'].includes(key)) return undefined;
  if (key === 'taskQueue' && typeof value === 'object' && value !== null && 'normalName' in value) {
    return { name: value.normalName };
  }
  return value;
}
