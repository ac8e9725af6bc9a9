import { cancellationSignal } from '@temporalio/activity';
import { backupOf } from '../../config/backup-settings.ts';
import type { Target } from '../../model/recovery/recreation.ts';
import { tearDown } from '../../systems/argocd/tear-down.ts';
import { installationOf } from './installation.ts';
import type { RecreationSystems } from './systems.ts';

const label = 'gitops-recreation';

/** On what a drill makes outside of Argo CD's namespace, so that it is found again and nothing else with it. */
export const drillLabels = ({ recreation }: Target): Record<string, string> => ({ [label]: recreation });

/** Takes away all that a drill made. @param guard asked before anything is changed */
export async function removeDrill(
  { config, clusterOf }: RecreationSystems,
  target: Target,
  guard: () => Promise<void>,
): Promise<void> {
  await tearDown({
    kubernetes: clusterOf(target),
    namespace: config.argocd.namespace,
    signal: cancellationSignal(),
    guard,
    installation: await installationOf(config),
    sealingKeys: backupOf(config, target.cluster).sealingKeys,
    labelSelector: `${label}=${target.recreation}`,
    parallel: config.recreation.parallel,
  });
}
