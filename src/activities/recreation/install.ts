import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { installStopped } from '../../systems/argocd/install.ts';
import { ensureNamespace, namespaceState } from '../../systems/kubernetes/namespaces.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import { refused, withRecovery } from '../failures.ts';
import type { RecreationActivities } from '../contract.ts';
import { checkNoneIsDeleted, checkSite } from './check-site.ts';
import { guardOf, mark } from './own-marker.ts';
import { installationOf } from './installation.ts';
import type { RecreationSystems } from './systems.ts';
import { removeDrill } from './remove-drill.ts';

/** Safe to repeat, side by side and late: past its stage it changes nothing. */
export function createInstall(systems: RecreationSystems): Pick<RecreationActivities, 'installArgoCd'> {
  const { config, temporal, clusterOf } = systems;
  const { namespace } = config.argocd;

  return {
    installArgoCd: (target) =>
      withRecovery(async () => {
        const installation = await installationOf(config);
        const { definitions, workloads, others } = installation;
        const objects = definitions.length + workloads.length + others.length;
        const found = await checkSite(systems, target);
        if (!(await ownRunIsOpen(temporal))) throw refused('This recreation is not open any more.');
        const kubernetes = clusterOf(target);

        const own = found?.recreation === target.recreation;
        if (own && found.stage !== 'install') return { objects };
        let marker = found;
        if (!own) {
          if (target.drill) {
            // What a drill left that died.
            if (found)
              await removeDrill(systems, { ...target, recreation: found.recreation }, async () => undefined);
            marker = undefined;
          } else if (found) await checkNoneIsDeleted(systems, target);
          await untilThere(target.drill);
          marker = await mark(systems, target, 'install', marker);
        }
        const place = {
          kubernetes,
          namespace,
          signal: cancellationSignal(),
          guard: guardOf(systems, target, 'install'),
        };
        await installStopped(place, installation, (done) =>
          heartbeat({ done, of: objects, what: 'objects of Argo CD' }),
        );
        await mark(systems, target, 'restore', marker);
        return { objects };

        async function untilThere(drill: boolean): Promise<void> {
          if ((await namespaceState(kubernetes, namespace)) === 'going') {
            if (!drill)
              throw new Error(`The namespace ${namespace} is being deleted: waiting until it is gone.`);
            await removeDrill(systems, target, async () => undefined);
          }
          await ensureNamespace(kubernetes, namespace);
        }
      }),
  };
}
