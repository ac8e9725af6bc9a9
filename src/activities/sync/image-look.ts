import { ApplicationFailure } from '@temporalio/common';
import { applicationName, namespaceOf } from '../../config/environments.ts';
import { manifestsPath, overlayPath } from '../../config/paths.ts';
import type { Application } from '../../model/argocd/application.ts';
import type { Image } from '../../model/delivery/change.ts';
import {
  otherImage,
  runsNowhere,
  workloadsOf,
  type OtherImage,
  type ReleaseWorkload,
} from '../../model/promotion/running-image.ts';
import { UnseenCluster } from '../../systems/argocd/index.ts';
import { isForbidden } from '../../systems/kubernetes/index.ts';
import { errorText } from '../../systems/system-error.ts';
import { createRenderer, render } from '../promotion/renderer.ts';
import type { WaitActivities } from '../contract.ts';
import type { Systems } from '../systems.ts';

type Wait = Parameters<WaitActivities['awaitHealthy']>[0];

/** Why it cannot be said that the release's image runs. */
export interface ImageTrouble {
  what: string;
  remedy?: string;
  /** Waiting does not mend it. */
  lasting?: true;
}

/** It reads objects and all their pods. */
const pauseMs = 5000;

/**
 * Looks whether the pods of an Application run the release's image: Argo CD calls healthy whatever runs. Which of them should
 * is read from the manifests, rendered once more at the revision that was synced, so it is asked when all else is well.
 */
export function createImageLook(
  systems: Pick<Systems, 'config' | 'repository' | 'argocd'>,
  wait: Wait,
  workDirectory: string,
): (application: Application, revision: string) => Promise<ImageTrouble | undefined> {
  const { image } = wait.release;
  if (!image) return async () => undefined;
  let rendered: { revision: string; workloads: ReleaseWorkload[] } | undefined;
  let next = 0;
  let found: ImageTrouble | undefined;

  return async (application, revision) => {
    if (Date.now() < next) return found;
    try {
      if (rendered?.revision !== revision) {
        const workloads = await renderedWorkloads(systems, wait, image, application, revision, workDirectory);
        rendered = { revision, workloads };
      }
      found = await look(systems, wait, image, application, rendered.workloads);
    } catch (error) {
      // Refused, or the cluster is being rebuilt.
      if (error instanceof ApplicationFailure) throw error;
      found = unread(error);
    }
    next = Date.now() + pauseMs;
    return found;
  };
}

async function renderedWorkloads(
  systems: Pick<Systems, 'config' | 'repository' | 'argocd'>,
  { service, environment }: Wait,
  image: Image,
  application: Application,
  revision: string,
  workDirectory: string,
): Promise<ReleaseWorkload[]> {
  const { config } = systems;
  const { inScratch, checkOut, settingsOf } = createRenderer(systems, workDirectory);
  const overlay = overlayPath({ manifests: manifestsPath(config, service) }, environment);
  const manifests = await inScratch(async (scratch) =>
    render(await checkOut(scratch, revision), overlay, await settingsOf(application)),
  );
  return workloadsOf(manifests, image, application.destination.namespace ?? namespaceOf(config, environment));
}

async function look(
  { config, argocd }: Pick<Systems, 'config' | 'argocd'>,
  { service, environment, operationId }: Wait,
  image: Image,
  { destination, images }: Application,
  workloads: readonly ReleaseWorkload[],
): Promise<ImageTrouble | undefined> {
  const name = applicationName(config, service, environment);
  const putBack =
    operationId === undefined
      ? `Somebody changed it past Git. Put it back (argocd app sync ${name}), then deliver the change again.`
      : 'Somebody changed it past Git. Deliver the change again, which syncs it.';
  try {
    const live = await argocd.liveWorkloads(destination, workloads);
    for (const [index, workload] of workloads.entries()) {
      const other = otherImage(image, workload, live[index]);
      if (other) return { what: inWords(other), remedy: remedyOf(other, workload) ?? putBack };
    }
    return undefined;
  } catch (error) {
    // Then Argo CD's word counts, which looks into it.
    if (!(error instanceof UnseenCluster)) throw error;
    if (workloads.length === 0 || !runsNowhere(image.digest, images)) return undefined;
    const what = `its pods run ${images.join(', ')}, not ${image.name}@${image.digest}`;
    return { what: inWords({ what }), remedy: putBack };
  }
}

const inWords = ({ what }: OtherImage): string => `the release's image (${what})`;

const remedyOf = ({ pod }: OtherImage, { namespace }: ReleaseWorkload): string | undefined =>
  pod &&
  `Let that pod come again (kubectl -n ${namespace} delete pod ${pod}), then deliver the change again. Where it is the same then, an admission webhook changes it, or an updateStrategy keeps it.`;

function unread(error: unknown): ImageTrouble {
  if (!isForbidden(error)) return { what: `a look at what its pods run (${errorText(error)})` };
  return {
    what: `Argo CD calls it healthy, but which image runs cannot be seen: ${errorText(error)} Then deliver the change again.`,
    lasting: true,
  };
}
