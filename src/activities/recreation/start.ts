import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { argoProjPath } from '../../systems/argocd/api-paths.ts';
import { listOwned } from '../../systems/argocd/list-owned.ts';
import { startInstalled } from '../../systems/argocd/install.ts';
import { isMissing } from '../../systems/kubernetes/index.ts';
import { forEachConcurrently } from '../../systems/concurrency/for-each-concurrently.ts';
import { refused, withRecovery } from '../failures.ts';
import type { RecreationActivities } from '../contract.ts';
import { guardOf, mark, ownMarker } from './own-marker.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { keptLogs } from '../kept-logs.ts';
import { installationOf } from './installation.ts';
import type { RecreationSystems } from './systems.ts';

/** Safe to repeat: Argo CD is started once, at a time that stays the same. */
export function createStart(systems: RecreationSystems): Pick<RecreationActivities, 'startArgoCd'> {
  const { config, clusterOf } = systems;

  return {
    startArgoCd: (target) =>
      withRecovery(async () => {
        const installation = await installationOf(config);
        const found = await ownMarker(systems, target);
        if (found.stage === 'install') throw refused(`Argo CD is not installed in ${target.cluster} yet.`);
        // Before anything runs: attempts that come late must not touch what Argo CD works with.
        const marker = found.stage === 'started' ? found : await mark(systems, target, 'started', found);
        const startedAt = new Date(marker.writtenAt).toISOString();
        // In a scratch control plane there is no node.
        if (target.drill) return { startedAt };

        const guard = guardOf(systems, target, 'started');
        const kubernetes = clusterOf(target);
        const { namespace } = config.argocd;
        const place = { kubernetes, namespace, signal: cancellationSignal(), guard };
        const { keep } = keptLogs(systems.objects, (container) =>
          objectKeys.recreationLog(target.cluster, target.recreation, container),
        );
        await startInstalled(place, installation, keep, (done) =>
          heartbeat({ done, of: installation.workloads.length, what: 'workloads of Argo CD' }),
        );
        await guard();
        await lookAnew();
        return { startedAt };

        async function lookAnew(): Promise<void> {
          const annotations = { 'argocd.argoproj.io/refresh': 'hard' };
          await forEachConcurrently(
            config.recreation.parallel,
            listOwned(kubernetes, namespace, 'Application'),
            async ({ metadata }) => {
              const path = argoProjPath(metadata.namespace ?? namespace, 'applications', metadata.name);
              await kubernetes.patch(path, { metadata: { annotations } }).catch((error: unknown) => {
                if (!isMissing(error)) throw error;
              });
            },
          );
        }
      }),
  };
}
