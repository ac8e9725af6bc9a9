import { readMarker, removeMarker } from '../../systems/argocd/recreation-marker.ts';
import { namespaceState } from '../../systems/kubernetes/namespaces.ts';
import type { RecreationActivities } from '../contract.ts';
import { ownMarker } from './own-marker.ts';
import { withRecovery } from '../failures.ts';
import { removeDrill } from './remove-drill.ts';
import type { RecreationSystems } from './systems.ts';

/** Safe to repeat and late: what is another recreation's stays. */
export function createFinish(systems: RecreationSystems): Pick<RecreationActivities, 'finishRecreation'> {
  const { config, clusterOf } = systems;
  const { namespace } = config.argocd;

  return {
    finishRecreation: (target) =>
      withRecovery(async () => {
        const kubernetes = clusterOf(target);
        const marker = await readMarker(kubernetes, namespace);
        if (!marker) {
          // Nothing was built, or all is gone; or an earlier attempt got as far as the deletion of the namespace.
          const half = target.drill && (await namespaceState(kubernetes, namespace)) === 'going';
          if (half) await removeDrill(systems, target, async () => undefined);
          return;
        }
        if (marker.recreation !== target.recreation) return;
        if (target.drill) {
          await removeDrill(systems, target, async () => void (await ownMarker(systems, target)));
          return;
        }
        await ownMarker(systems, target);
        await removeMarker(kubernetes, namespace);
      }),
  };
}
