import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { applicationName } from '../../config/environments.ts';
import { manifestsPath, overlayPath, releasePath } from '../../config/paths.ts';
import { changeName, type Image, type Release } from '../../model/delivery/change.ts';
import type { Rendered } from '../../model/promotion/promotion.ts';
import { releaseKustomization, releaseMessage } from '../../model/promotion/release.ts';
import { canonicalName } from '../../model/image-name.ts';
import { maskSecret } from '../../model/mask-secret.ts';
import { objectKeys } from '../../model/object-keys.ts';
import {
  canonicalManifests,
  compare,
  containerImages,
  imageDigest,
  imageName,
  nameOf,
  summarize,
  type Manifest,
} from '../../model/manifests.ts';
import { GitError } from '../../systems/git/index.ts';
import { build } from '../../systems/kustomize/build.ts';
import { type Rendering, KustomizeError } from '../../systems/kustomize/index.ts';
import { diffManifests } from '../../systems/kustomize/diff.ts';
import { parseManifests } from '../../systems/kustomize/parse.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';
import { refuseSource } from '../sync/application-source.ts';
import { readRelease } from './read-release.ts';
import { refuseGone } from './refuse-gone.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import type { RenderActivities } from '../contract.ts';

type Settings = Pick<Rendering, 'options' | 'overrides'>;

/** Half of an attempt's time, for two renders side by side that take seconds. */
const timeoutMs = 150_000;

/**
 * Safe to repeat, side by side and late: they read, and write a difference under its own digest, so what people were shown
 * stays what it was.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createRenderActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'argocd' | 'objects'>,
  workDirectory: string,
): RenderActivities {
  const { config, repository, argocd, objects } = systems;

  return {
    async previewRelease({ environment, release, asked }) {
      const { change, source } = release;
      const seen = await withGit(() => readRelease(systems, { environment, service: change.service }));
      if (asked.by !== 'decisions') return { seen };
      const gone = await withGit(() => refuseGone(repository, change, seen.tip));
      if (gone !== undefined) throw refused(gone);
      const draft = await withGit(() =>
        repository.draftRelease(seen.tip, {
          path: releasePath({ manifests: manifestsPath(config, change.service) }, environment),
          base: source.base,
          kustomization: releaseKustomization(release),
          message: releaseMessage(environment, release),
        }),
      );
      const rendered = await renderAt(draft, `${changeName(change)} on ${seen.tip}`, {
        environment,
        release,
      });
      return { seen, rendered };
    },

    renderRelease: ({ revision, ...promotion }) => renderAt(revision, revision, promotion),
  };

  /** @param shownAs what people read of the revision */
  async function renderAt(
    revision: string,
    shownAs: string,
    { environment, release: { change, image } }: { environment: string; release: Release },
  ): Promise<Rendered> {
    const manifests = manifestsPath(config, change.service);
    const overlay = overlayPath({ manifests }, environment);
    const name = applicationName(config, change.service, environment);
    const application = await argocd.application(name);
    const refusal = application && refuseSource(config, application, overlay);
    if (refusal !== undefined) throw refused(refusal);
    const running = application?.deployedRevision;
    const settings = {
      options: await argocd.kustomizeBuildOptions(),
      overrides: application?.source?.kustomize,
    };

    return inScratch(async (scratch) => {
      const checkout = await checkOut(scratch, revision);
      const own = await render(checkout, releasePath({ manifests }, environment), {});
      const wanted = await render(checkout, overlay, settings);
      if (wanted.length === 0) {
        throw refused(`${overlay} renders to nothing at ${shownAs}: a sync would delete all of ${name}.`);
      }
      if (image) assertImages(image, own, wanted);
      const before = running === undefined ? [] : await renderRunning(scratch, running, overlay, settings);
      const manifestsDigest = `sha256:${sha256(canonicalManifests(wanted))}`;

      const masked = [before, wanted].map((all) => all.map((manifest) => maskSecret(manifest, sha256)));
      const difference = await diffManifests(masked[0] ?? [], masked[1] ?? [], scratch);
      const heading = `# ${name}: what runs (${running ?? 'nothing'}) against what would run (${shownAs})\n`;
      const text = `${heading}# Digest of the latter: ${manifestsDigest}\n\n${difference}`;
      const diff = objectKeys.diff(environment, change, `sha256:${sha256(text)}`);
      await objects.put(diff, text);
      return { manifestsDigest, diff, summary: summarize(compare(before, wanted)) };
    });
  }

  function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
    return withScratch(join(workDirectory, 'renders'), async (scratch) => {
      try {
        return await work(await realpath(scratch));
      } catch (error) {
        throw error instanceof KustomizeError ? refused(error.message) : error;
      }
    });
  }

  async function checkOut(scratch: string, revision: string): Promise<string> {
    const directory = join(scratch, revision);
    await mkdir(directory);
    await withGit(() => repository.checkout(revision, directory));
    return directory;
  }

  /** What runs may come from a commit that somebody has rewritten since, or from a time without this overlay. */
  async function renderRunning(
    scratch: string,
    revision: string,
    path: string,
    settings: Settings,
  ): Promise<Manifest[]> {
    const directory = join(scratch, `${revision}-running`);
    await mkdir(directory);
    try {
      await repository.checkout(revision, directory);
    } catch (error) {
      if (error instanceof GitError && error.kind === 'missing') return [];
      throw error;
    }
    const known = (await repository.object(revision, path)) !== undefined;
    return known ? render(directory, path, settings) : [];
  }
}

const render = async (root: string, path: string, settings: Settings): Promise<Manifest[]> =>
  parseManifests(await build({ root, path, ...settings }, AbortSignal.timeout(timeoutMs)));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A service's image runs by the digest of its release, in every container that the release gives it to. */
function assertImages(image: Image, own: readonly Manifest[], wanted: readonly Manifest[]): void {
  const count = (manifests: readonly Manifest[]): number =>
    manifests
      .flatMap(({ object }) => containerImages(object))
      .filter(({ image: used }) => imageDigest(used) === image.digest).length;
  if (count(own) === 0) {
    throw refused(
      `No container of the release has the image ${image.name}. Name it so in base/, without a tag.`,
    );
  }
  for (const manifest of wanted) {
    for (const { container, image: used } of containerImages(manifest.object)) {
      const isAnother = canonicalName(imageName(used)) !== canonicalName(image.name);
      if (isAnother || imageDigest(used) === image.digest) continue;
      throw refused(
        `${nameOf(manifest)}: container ${container} would run ${used}, not ${image.digest}. Remove the override of the image.`,
      );
    }
  }
  if (count(wanted) < count(own)) {
    throw refused(`The overlay replaces the image ${image.name} of the release. Remove that override.`);
  }
}
