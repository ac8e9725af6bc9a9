import { applicationName } from '../../config/environments.ts';
import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import { imageNameOf } from '../../config/services.ts';
import type { Release } from '../../model/delivery/change.ts';
import { repeatedIn, type Manifest } from '../../model/manifests.ts';
import { refuseImage } from '../../model/promotion/release-image.ts';
import { refused, withCluster, withGit } from '../failures.ts';
import { refuseSource } from '../sync/application-source.ts';
import type { Systems } from '../systems.ts';
import { refuseSourceFiles } from './refuse-source-files.ts';
import { render, type Renderer, type RenderSettings } from './renderer.ts';

/** What is to be rendered. */
export interface Target {
  environment: string;
  release: Omit<Release, 'source'>;
  revision: string;
  /** What people read of the revision. */
  shownAs: string;
}

export interface Wanted {
  manifests: Manifest[];
  overlay: string;
  /** Of the Application. */
  name: string;
  /** What Argo CD deployed last. */
  running: string | undefined;
  /** That pods run now. */
  images: readonly string[];
  settings: RenderSettings;
}

/** What would run, as Argo CD would render it. @throws Refused: it must not */
export async function renderWanted(
  { config, repository, argocd }: Pick<Systems, 'config' | 'repository' | 'argocd'>,
  { checkOut, settingsOf }: Pick<Renderer, 'checkOut' | 'settingsOf'>,
  scratch: string,
  { environment, release, revision, shownAs }: Target,
): Promise<Wanted> {
  const { change, image } = release;
  const place = { manifests: manifestsPath(config, change.service) };
  const overlay = overlayPath(place, environment);
  const { name, application, settings } = await withCluster(async () => {
    const name = applicationName(config, change.service, environment);
    const application = await argocd.application(name);
    return { name, application, settings: await settingsOf(application) };
  });
  const refusal =
    (application && refuseSource(config, application, overlay)) ??
    (await withGit(() => refuseSourceFiles(repository, revision, overlay, name)));
  if (refusal !== undefined) throw refused(refusal);

  const checkout = await withGit(() => checkOut(scratch, revision));
  const rendering = render(checkout, overlay, settings);
  // What the release alone says of its own fault helps more.
  rendering.catch(() => undefined);
  const own = await render(checkout, releasePath(place, environment), {});
  const manifests = await rendering;
  if (manifests.length === 0) {
    throw refused(`${overlay} renders to nothing at ${shownAs}: a sync would delete all of ${name}.`);
  }
  const repeated = repeatedIn(manifests);
  if (repeated !== undefined) {
    throw refused(
      `${overlay} renders ${repeated} twice at ${shownAs}, and one would replace the other. Remove one.`,
    );
  }
  const service = { name: change.service, image: imageNameOf(config, change.service) };
  const wrong = image && refuseImage(image, service, { release: own, overlay: manifests });
  if (wrong !== undefined) throw refused(wrong);
  const { deployedRevision: running, images = [] } = application ?? {};
  return { manifests, overlay, name, running, images, settings };
}
