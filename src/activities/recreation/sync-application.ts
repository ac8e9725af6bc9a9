import { milliseconds } from '../../config/duration.ts';
import type { Application } from '../../model/argocd/application.ts';
import { nextHealthStep, nextSyncStep } from '../../model/recovery/next-step.ts';
import { closedWindow } from '../../model/argocd/sync-windows.ts';
import { automatedRetries, type SyncResource } from '../../systems/argocd/index.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import type { ArgoCds } from './argocd-by-namespace.ts';
import type { BackedUp } from './backed-up-applications.ts';
import { operationIdOf } from './operation-id.ts';
import type { RebuiltCluster } from './rebuilt-cluster.ts';
import { followApplication } from './follow-application.ts';

/** Carries an operation of our own to its success. At the deadline it is ended, so that nothing goes on unseen. */
export async function runOperation(
  { argocds, config, temporal, recreation }: RebuiltCluster,
  { name, namespace, expected }: BackedUp,
  phase: string,
  resources?: readonly SyncResource[],
): Promise<{ succeeded: boolean; deadline: number }> {
  const argocd = argocds.of(namespace);
  const id = operationIdOf(recreation, namespace ?? '', name, phase);
  const within = milliseconds(config.recreation.healthy);
  let deadline = Date.now() + within;
  const end = await followApplication({
    argocd,
    name,
    signal: argocds.signal,
    next: (application) => nextSyncStep(application, id),
    deadline(application) {
      const { operation } = application ?? {};
      // An attempt before this one may have asked for it.
      if (operation?.id === id) deadline = Math.min(deadline, operation.startedAt + within);
      return deadline;
    },
    async start(application) {
      if (!(await ownRunIsOpen(temporal)) || (await isClosed(argocds, application))) return false;
      const request = { id, revisions: expected, prune: false, reason: `Recreation, ${phase}` };
      const { state } = await argocd.startOperation(
        name,
        // What of some resources cannot be applied yet is left out the next time. In a cluster that comes up, much of the
        // rest is there only a minute later.
        resources ? { ...request, resources, retries: 0 } : { ...request, retries: automatedRetries },
      );
      return state === 'ours' || state === 'busy';
    },
  });
  if (end === 'late') await argocd.terminate(name, { id });
  return { succeeded: end === 'done', deadline };
}

/** Syncs an Application at its revisions and waits until it is healthy. @returns whether it is */
export async function syncUntilHealthy(
  rebuilt: RebuiltCluster,
  one: BackedUp,
  phase: string,
): Promise<boolean> {
  const { argocds, slots, startedAt } = rebuilt;
  const { succeeded, deadline } = await slots(() => runOperation(rebuilt, one, phase));
  if (!succeeded) return false;
  const end = await followApplication({
    argocd: argocds.of(one.namespace),
    name: one.name,
    signal: argocds.signal,
    next: (application) => nextHealthStep(application, startedAt),
    deadline: () => deadline,
  });
  return end === 'done';
}

/** An operation in a closed window would stand still until its deadline. */
async function isClosed({ of }: ArgoCds, application: Application): Promise<boolean> {
  const windows = await of().syncWindows(application.project);
  return closedWindow(windows, application, Date.now()) !== undefined;
}
