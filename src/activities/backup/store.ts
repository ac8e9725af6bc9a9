import { join } from 'node:path';
import { cancellationSignal } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { backupOf } from '../../config/backup-settings.ts';
import type { Config } from '../../config/schema.ts';
import { backupKey, indexKey, noCounts, type BackupIndex, type Counts } from '../../model/recovery/backup.ts';
import { recreationId } from '../../model/temporal/workflow-ids.ts';
import { exportArgoCd, type Exported } from '../../systems/argocd/export.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';
import { argoCdVersion } from '../../systems/argocd/version.ts';
import { seal } from '../../systems/backups/seal.ts';
import { fileBody, textBody } from '../../systems/backups/index.ts';
import { isOpen } from '../../systems/temporal/runs.ts';
import { refused, withRecovery } from '../failures.ts';
import type { Systems } from '../systems.ts';
import type { BackupActivities } from '../contract.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';

/** @param scratch folder for encrypted files on their way */
export function createBackupActivities(
  systems: { config: Config; kubernetes: Kubernetes; backups: Systems['backups']; temporal: Client },
  scratch: string,
): BackupActivities {
  const { config, temporal } = systems;

  return {
    /** Safe to repeat, side by side and late: each attempt stores under a name of its own, and its index last. */
    async storeBackup({ cluster, at }) {
      return withRecovery(async () => {
        const settings = backupOf(config, cluster);
        if (await isOpen(temporal, { workflowId: recreationId(config.platform, cluster) })) {
          throw refused(`${cluster} is being rebuilt: what is there now is no backup of it.`);
        }
        return withScratch(scratch, async (directory) => {
          const { kubernetes, backups } = systems;
          const { store, recipients } = backups;
          const { namespace } = config.argocd;
          const version = await argoCdVersion(kubernetes, namespace);
          const contents = new Contents();
          const found = exportArgoCd(kubernetes, { namespace, sealingKeys: settings.sealingKeys });
          const file = join(directory, 'backup');
          const { plain, stored } = await seal(contents.of(found), recipients(), file, cancellationSignal());

          const key = backupKey(cluster, at, stored.sha256);
          const storedVersion = await store.putOnce(key, fileBody(file, stored));
          const index: BackupIndex = {
            key,
            cluster,
            createdAt: at,
            argocd: { namespace, ...(version !== undefined && { version }) },
            ...contents.summary,
            plain,
            stored: { ...stored, ...(storedVersion !== undefined && { version: storedVersion }) },
          };
          await store.putOnce(indexKey(key), textBody(JSON.stringify(index)));
          return { key, size: stored.size, counts: contents.summary.counts };
        });
      });
    },
  };
}

/** Notes for the index what goes into the backup. */
class Contents {
  readonly summary: Pick<BackupIndex, 'importable' | 'applications' | 'sealingKeys' | 'leftOut'> & {
    counts: Counts;
  } = {
    counts: noCounts(),
    importable: 0,
    applications: [],
    sealingKeys: [],
    leftOut: [{ what: 'status of all objects but status.history', why: 'Argo CD finds it out again' }],
  };

  /** The lines of what is stored. */
  async *of(found: AsyncIterable<Exported>): AsyncGenerator<string> {
    const { counts, applications, sealingKeys, leftOut } = this.summary;
    for await (const one of found) {
      if ('leftOut' in one) {
        leftOut.push(one.leftOut);
        continue;
      }
      counts[one.kind] += 1;
      if (!one.beside) this.summary.importable += 1;
      if (one.application) applications.push(one.application);
      if (one.sealingKey) sealingKeys.push(one.sealingKey);
      yield one.line;
    }
  }
}
