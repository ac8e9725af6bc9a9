import { backupOf } from '../../config/backup-settings.ts';
import { milliseconds } from '../../config/duration.ts';
import { isOverdue, newestGood, type BackupIndex } from '../../model/recovery/backup.ts';
import { cannotMigrate } from '../../model/recovery/migration.ts';
import type { RecreationPlan, Target } from '../../model/recovery/recreation.ts';
import { instanceName } from '../../model/argocd/tracking.ts';
import { rootsAmong, waveOf, type Placed } from '../../model/recovery/sync-waves.ts';
import { KubernetesError } from '../../systems/kubernetes/index.ts';
import { clusterUid } from '../../systems/kubernetes/namespaces.ts';
import { recoveryPoints } from '../../systems/backups/catalogue.ts';
import { refused, withRecovery } from '../failures.ts';
import { judgeBackup } from '../backup/judge.ts';
import { existingIndex } from '../backup/open.ts';
import type { RecreationActivities } from '../contract.ts';
import { checkNoneIsDeleted, checkSite } from './check-site.ts';
import { installationOf } from './installation.ts';
import type { RecreationSystems } from './systems.ts';

/** Reads only. */
export function createCheck(systems: RecreationSystems): Pick<RecreationActivities, 'checkRecreation'> {
  const { config } = systems;

  return {
    checkRecreation: ({ key: given, allowOlder, ...target }) =>
      withRecovery(async () => {
        const { cluster } = target;
        backupOf(config, cluster);
        const { version } = await installationOf(config);
        await checkCluster(systems, target);

        const key = given ?? (await newest(cluster));
        const index = await existingIndex(systems.recovery.store, key);
        const contents: Placed[] = [];
        const see = ({ object: { kind, metadata } }: { object: Placed }) => contents.push({ kind, metadata });
        const { state, reason } = await judgeBackup(systems, systems.scratch, index, { cluster, key, see });
        if (state !== 'good') throw refused(notGood(key, state, reason));
        const unmigratable = cannotMigrate(index.argocd.version, version);
        if (unmigratable !== undefined) {
          throw refused(`${key} does not fit argocd.install: ${unmigratable} Install another version first.`);
        }
        return { backup: { ...described(index), ...older(index, allowOlder) }, ...orderOf(contents) };
      }),
  };

  async function newest(cluster: string): Promise<string> {
    const point = newestGood(await recoveryPoints(systems.recovery.store, cluster));
    if (point) return point.key;
    throw refused(`There is no good backup of ${cluster}. See: gitops backups list`);
  }

  function older(index: BackupIndex, allowed: boolean): { older?: true } {
    const { oldestAllowed, cluster } = backupOf(config);
    if (!isOverdue(index, milliseconds(oldestAllowed), Date.now())) return {};
    if (allowed) return { older: true };
    throw refused(
      `${index.key} is of ${index.createdAt}: older than backup.oldestAllowed (${oldestAllowed}). What ${cluster} came to know since then ` +
        'is not in it. If it will do all the same: --allow-older',
    );
  }
}

async function checkCluster(systems: RecreationSystems, target: Target): Promise<void> {
  if (target.drill) await checkNotTheCluster(systems, target);
  const marker = await checkSite(systems, target);
  // What a dead drill left is taken away first, deleted or not.
  if (marker && !target.drill) await checkNoneIsDeleted(systems, target);
}

async function checkNotTheCluster({ clusterOf }: RecreationSystems, target: Target): Promise<void> {
  const scratch = await clusterUid(clusterOf(target));
  const live = await clusterUid(clusterOf({ ...target, drill: false })).catch((error: unknown) => {
    // A drill is of use on the day after, too.
    if (error instanceof KubernetesError && error.status === 0) return undefined;
    throw error;
  });
  if (live === undefined || live !== scratch) return;
  throw refused(
    `recreation.drill in gitops.yaml names ${target.cluster} itself. Name an empty control plane that nobody needs.`,
  );
}

function notGood(key: string, state: string, reason = ''): string {
  const how = state === 'suspect' ? ` If it will do: gitops backups verify ${key} --accept` : '';
  return `${key} is ${state}. ${reason}${how}`;
}

function described({ key, stored, createdAt, argocd }: BackupIndex): RecreationPlan['backup'] {
  const { version, sha256 } = stored;
  return {
    key,
    sha256,
    createdAt,
    ...(version !== undefined && { version }),
    ...(argocd.version !== undefined && { argocdVersion: argocd.version }),
  };
}

function orderOf(contents: Placed[]): Pick<RecreationPlan, 'waves' | 'roots'> {
  const roots = rootsAmong(contents);
  const others = contents.filter(
    (one) => one.kind === 'Application' && !roots.has(instanceName(one.metadata)),
  );
  const waves = [...Map.groupBy(others, waveOf)]
    .map(([wave, { length: applications }]) => ({ wave, applications }))
    .toSorted((a, b) => a.wave - b.wave);
  return { waves, roots: roots.size };
}
