import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { z } from 'zod';
import { createBackupActivities } from '../src/activities/backup/store.ts';
import { backupOf } from '../src/config/backup-settings.ts';
import { loadConfig } from '../src/config/load.ts';
import { recreationId } from '../src/model/temporal/workflow-ids.ts';
import { createKubernetes } from '../src/systems/kubernetes/api-client.ts';
import { writeMarker } from '../src/systems/argocd/recreation-marker.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { recipientsOf, writersStore } from '../src/wiring/backup-stores.ts';
import { startControlPlane, type ControlPlane } from '../test/support/control-plane.ts';
import { applications, fill, install, namespace } from './argocd-state.ts';
import { makeBackupPlatform, type BackupPlatform } from './backup-platform.ts';
import { comparator } from './comparator.ts';
import { judged, over, side, timed, type Parameters, type Report } from './harness.ts';

const timeout = 20 * 60_000;
const exported = 'export.yaml.gz';
const restoreOnce = fileURLToPath(new URL('restore-once.ts', import.meta.url));

/**
 * Many Applications brought back into an empty API server, against `aws s3 cp` and `argocd admin import`. Each side
 * fetches what it stored itself, and every restore has a control plane of its own. The import takes minutes: it is
 * measured once.
 */
export async function run({ rounds = 3, services = [10_000] }: Parameters = {}): Promise<Report> {
  const count = Math.max(...services);
  const source = await startControlPlane();
  const platform = await makeBackupPlatform(source);
  try {
    await install(source.kubernetes);
    await fill(source.kubernetes, 0, count);
    const { env, name, folder } = platform;
    const key = await backUp(platform);
    await execa(comparator('export-and-upload.sh'), [folder, name, exported], { env, timeout });
    await source.stopApiServer();

    const ours: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await inFresh(count, (target) => restore(platform, target, key, count)));
    }
    const theirs = [
      await inFresh(count, (target) =>
        timed(() =>
          execa(comparator('download-and-import.sh'), [folder, name, exported], {
            env: { ...env, KUBECONFIG: target.kubeconfig },
            timeout,
          }),
        ),
      ),
    ];
    return {
      sides: { restoreBackup: side('ms', ours), 'aws s3 cp, argocd admin import': side('ms', theirs) },
      ratios: {
        'argocd admin import / restoreBackup': judged(over(theirs, ours), { atLeast: 4 }),
      },
      notes: [`${count} Applications. After each side all of them were counted.`],
    };
  } finally {
    await platform.remove();
    await source.remove();
  }
}

/** @returns its key */
async function backUp({ name, config, kubeconfig }: BackupPlatform): Promise<string> {
  const temporal = await connectClient();
  const loaded = loadConfig(config);
  const backup = backupOf(loaded);
  const kubernetes = createKubernetes(kubeconfig);
  const backups = { store: writersStore(backup), recipients: () => recipientsOf(backup) };
  const activities = createBackupActivities({ config: loaded, kubernetes, backups, temporal }, tmpdir());
  const at = new Date().toISOString();
  let key = '';
  await new MockActivityEnvironment().run(async () => {
    ({ key } = await activities.storeBackup({ cluster: name, at }));
  });
  await temporal.connection.close();
  return key;
}

/** @returns milliseconds */
async function inFresh(count: number, measure: (target: ControlPlane) => Promise<number>): Promise<number> {
  const target = await startControlPlane();
  try {
    await install(target.kubernetes);
    const ms = await measure(target);
    const found = await countOf(target);
    if (found !== count) throw new Error(`Of ${count} Applications ${found} are there.`);
    return ms;
  } finally {
    await target.remove();
  }
}

const restoredSchema = z.object({
  kinds: z.object({ Application: z.object({ expected: z.number(), created: z.number() }) }),
  failures: z.array(z.unknown()).length(0),
});

async function restore(
  { name, env }: BackupPlatform,
  { kubernetes, kubeconfig }: ControlPlane,
  key: string,
  count: number,
): Promise<number> {
  const temporal = await connectClient();
  const workflowId = recreationId(name, name);
  // Nobody works on its queue: it only stands for a recreation that is open.
  const handle = await temporal.workflow.start('nothing', { taskQueue: name, workflowId });
  try {
    const recreation = handle.firstExecutionRunId;
    const marker = { recreation, workflow: workflowId, drill: false, stage: 'restore' as const };
    await writeMarker(kubernetes, namespace, marker, undefined);
    const args = [restoreOnce, name, key, workflowId, recreation];
    let told = '';
    const ms = await timed(async () => {
      told = (await execa(process.execPath, args, { env: { ...env, KUBECONFIG: kubeconfig }, timeout }))
        .stdout;
    });
    const { expected, created } = restoredSchema.parse(JSON.parse(told)).kinds.Application;
    if (expected !== count || created !== count)
      throw new Error(`Of ${count} Applications ${created} were made: ${told}`);
    return ms;
  } finally {
    await handle.terminate();
    await temporal.connection.close();
  }
}

const pageSchema = z.object({
  metadata: z.object({ remainingItemCount: z.number().default(0) }),
  items: z.array(z.unknown()),
});

async function countOf({ kubernetes }: ControlPlane): Promise<number> {
  const { metadata, items } = pageSchema.parse(await kubernetes.get(applications, { limit: 1 }));
  return items.length + metadata.remainingItemCount;
}
