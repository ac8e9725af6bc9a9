import type { ArgoCd } from '../../systems/argocd/index.ts';
import type { Recreations } from '../../systems/temporal/recreations.ts';
import { later } from '../failures.ts';

/**
 * Argo CD for all but who rebuilds it: while its cluster is rebuilt nobody reads or changes it, since what is there is
 * neither what was nor what will be. Who wants to is told to come again, also in the middle of a wait.
 *
 * @throws ApplicationFailure `BeingRecreated`, expected and retryable
 */
export function notWhileRecreated(argocd: ArgoCd, recreations: Recreations): ArgoCd {
  async function pass(): Promise<void> {
    if (!(await recreations.last()).underWay) return;
    // Soon enough afterwards, and bearable for a server to which thousands come back all the while.
    throw later(
      'BeingRecreated',
      'The cluster is being rebuilt. This goes on by itself afterwards.',
      '30 seconds',
    );
  }
  async function after<T>(work: () => Promise<T>): Promise<T> {
    await pass();
    return work();
  }

  return {
    ...argocd,
    application: (name) => after(() => argocd.application(name)),
    namesakes: (name) => after(() => argocd.namesakes(name)),
    async *changes(name, everyMs, signal) {
      for await (const sighting of argocd.changes(name, everyMs, signal)) {
        await pass();
        yield sighting;
      }
      throw new Error('The watch of Argo CD ended.'); // Never: it ends by throwing only.
    },
    troubledResources: (name) => after(() => argocd.troubledResources(name)),
    liveWorkloads: (destination, workloads) => after(() => argocd.liveWorkloads(destination, workloads)),
    refresh: (name) => after(() => argocd.refresh(name)),
    startOperation: (name, request) => after(() => argocd.startOperation(name, request)),
    terminate: (name, operation) => after(() => argocd.terminate(name, operation)),
    bringerOf: (name) => after(() => argocd.bringerOf(name)),
    remove: (name, revision) => after(() => argocd.remove(name, revision)),
    leftOf: (name, destination, objects) => after(() => argocd.leftOf(name, destination, objects)),
    syncWindows: (project) => after(() => argocd.syncWindows(project)),
    kustomizeBuildOptions: () => after(() => argocd.kustomizeBuildOptions()),
  };
}
