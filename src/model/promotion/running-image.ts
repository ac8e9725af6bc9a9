import { resourceName } from '../argocd/application.ts';
import { isHook } from '../argocd/hooks.ts';
import type { Image } from '../delivery/change.ts';
import { containerImages, groupOf, imageDigest, type ContainerImage, type Manifest } from '../manifests.ts';

/** An object whose pods run a release's image, as its manifest says. */
export interface ReleaseWorkload {
  kind: string;
  namespace: string;
  name: string;
  /** Names of those that run it, of init containers too. */
  containers: string[];
}

/** What an object of the cluster has its pods run, and what those that are neither ending nor ended do run. */
export interface LiveWorkload {
  template: ContainerImage[];
  pods: { name: string; containers: LiveContainer[] }[];
}

export interface LiveContainer extends ContainerImage {
  /** What its node says that it runs. */
  imageId?: string | undefined;
}

export interface OtherImage {
  /** `Deployment/claims in dev runs image …, not …, in container app` */
  what: string;
  /** The pod, where only that differs. */
  pod?: string;
}

/** Of others only Argo CD knows what they run: whatever an operator makes of its objects, and Jobs, which end. */
const looksAt = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'batch/CronJob',
  'argoproj.io/Rollout',
]);

/** @param home namespace of objects that say none */
export const workloadsOf = (manifests: readonly Manifest[], image: Image, home: string): ReleaseWorkload[] =>
  manifests
    .filter(({ apiVersion, kind }) => looksAt.has(`${apiVersion.split('/')[0]}/${kind}`))
    .filter((manifest) => !isHook(manifest))
    .map(({ kind, namespace, name, object }) => ({
      kind,
      namespace: namespace || home,
      name,
      containers: containerImages(object)
        .filter(({ image: used }) => imageDigest(used) === image.digest)
        .map(({ container }) => container),
    }))
    .filter(({ containers }) => containers.length > 0);

/** Where a workload does not run a release's image; undefined where it does. */
export function otherImage(
  image: Image,
  workload: ReleaseWorkload,
  live: LiveWorkload | undefined,
): OtherImage | undefined {
  const name = resourceName(workload);
  if (!live) return { what: `${name} is not there` };
  const { containers } = workload;
  const what = otherIn(image, containers, live.template, name);
  if (what !== undefined) return { what };
  for (const pod of live.pods) {
    const what = otherIn(image, containers, pod.containers, `Pod ${pod.name} of ${name}`);
    if (what !== undefined) return { what, pod: pod.name };
  }
  return undefined;
}

function otherIn(
  image: Image,
  names: readonly string[],
  containers: readonly LiveContainer[],
  where: string,
): string | undefined {
  for (const name of names) {
    const found = containers.find(({ container }) => container === name);
    if (!found) return `${where} has no container ${name}`;
    if (!runs(image, found)) {
      return `${where} runs image ${found.image}, not ${image.name}@${image.digest}, in container ${name}`;
    }
  }
  return undefined;
}

/**
 * A node pulls exactly the digest that a pod names, from whichever registry. What it then says that it runs is not to be
 * compared with that: of an image for several platforms it may be the index, or the one for its own platform, or any other
 * name under which it has the same layers. It says something where the pod names a tag, if it is the digest.
 *
 * @see https://github.com/kubernetes/kubernetes/issues/115199
 */
function runs({ digest }: Image, { image, imageId = '' }: LiveContainer): boolean {
  return (imageDigest(image) ?? imageDigest(imageId)) === digest;
}

/** More in a line helps nobody. */
const mostNamed = 3;

/**
 * Images that pods run though the manifests that were synced have others: somebody changed them past Git.
 *
 * @param images as Argo CD lists them
 */
export function imagesPastGit(manifests: readonly Manifest[], images: readonly string[]): string[] {
  const wanted = manifests
    .filter(({ apiVersion }) => groupOf(apiVersion) === 'apps')
    .flatMap(({ object }) => containerImages(object).map(({ image }) => image));
  const isMissing = (image: string): boolean => runsNowhere(imageDigest(image) ?? '', images);
  return wanted.some(isMissing) ? images.filter((image) => !wanted.includes(image)).slice(0, mostNamed) : [];
}

/** Argo CD's own list of the images that an Application's pods run is of no use while it is empty. */
export const runsNowhere = (digest: string, images: readonly string[]): boolean =>
  images.length > 0 && !images.some((image) => image.includes(digest));
