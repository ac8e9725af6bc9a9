import { applicationName, applicationNamespace } from '../../config/environments.ts';
import { manifestsPath, overlayPath } from '../../config/paths.ts';
import type { Systems } from '../systems.ts';
import type { Place } from '../contract.ts';
import { wrongSource } from './application-source.ts';

/** All Applications of a cluster are looked through for the name. */
const pauseMs = 30_000;

/**
 * Why an Application that is not where the configuration says will not come: one that is meant lies elsewhere. It is told
 * from others of its name by what it deploys.
 */
export async function refuseMisplaced(
  { config, argocd }: Pick<Systems, 'config' | 'argocd'>,
  { environment, service }: Place,
): Promise<string | undefined> {
  const overlay = overlayPath({ manifests: manifestsPath(config, service) }, environment);
  const namesakes = await argocd.namesakes(applicationName(config, service, environment));
  const meant = namesakes.find((found) => wrongSource(config, found, overlay) === undefined);
  if (!meant) return undefined;
  return (
    `Application ${meant.name} lies in namespace ${meant.namespace}, not in ${applicationNamespace(config, environment)}. ` +
    `Write applicationNamespace: ${meant.namespace} into environment ${environment} in gitops.yaml, or move it.`
  );
}

/** The same in a wait, not too often: an Application that lies elsewhere may be found there a little later. */
export function createMisplacedLook(
  systems: Parameters<typeof refuseMisplaced>[0],
  place: Place,
): () => Promise<string | undefined> {
  let next = 0;
  return async () => {
    if (Date.now() < next) return undefined;
    next = Date.now() + pauseMs;
    return refuseMisplaced(systems, place).catch(() => undefined);
  };
}
