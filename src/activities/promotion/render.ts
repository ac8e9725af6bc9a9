import { manifestsPath, releasePath } from '../../config/paths.ts';
import { hooksIn } from '../../model/argocd/hooks.ts';
import { changeName } from '../../model/delivery/change.ts';
import type { Approval, Rendered } from '../../model/promotion/promotion.ts';
import { releaseKustomization, releaseMessage } from '../../model/promotion/release.ts';
import { imagesPastGit } from '../../model/promotion/running-image.ts';
import { compare, summarize, type Manifest } from '../../model/manifests.ts';
import { unlessMissing } from '../../systems/git/index.ts';
import { KustomizeError } from '../../systems/kustomize/index.ts';
import { carriedBy } from './carried.ts';
import { digestOf, storeDifference } from './difference.ts';
import { bringBase } from './release-base.ts';
import { readRelease } from './read-release.ts';
import { releaseInPlace } from './release-in-place.ts';
import { refuseGone } from './refuse-gone.ts';
import { withRejected } from './rejected-before.ts';
import { renderWanted, type Target } from './render-wanted.ts';
import { createRenderer, render, type RenderSettings } from './renderer.ts';
import { straysOf } from './strays.ts';
import { refused, withGit } from '../failures.ts';
import type { Systems } from '../systems.ts';
import type { RenderActivities } from '../contract.ts';

/**
 * Safe to repeat, side by side and late: they read, and write a difference under its own digest, so what people were shown
 * stays what it was.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createRenderActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'argocd' | 'objects'>,
  workDirectory: string,
): RenderActivities {
  const { config, repository, argocd } = systems;
  const renderer = createRenderer(systems, workDirectory);
  const { inScratch, checkOut } = renderer;

  return {
    async previewRelease({ environment, release, asked }) {
      const { change, source } = release;
      const seen = await withGit(() => readRelease(systems, { environment, service: change.service }));
      const gone = await withGit(() => refuseGone(systems, release, seen.tip));
      if (gone !== undefined) throw refused(gone);
      const draft = await withGit(async () => {
        await bringBase(systems, release);
        return repository.draftRelease(seen.tip, {
          path: releasePath({ manifests: manifestsPath(config, change.service) }, environment),
          base: source.base,
          kustomization: releaseKustomization(release),
          message: releaseMessage(environment, release),
        });
      });
      const target = {
        environment,
        release,
        revision: draft,
        shownAs: `${changeName(change)} on ${seen.tip}`,
      };
      return { seen, ...(await previewed(target, asked)) };
    },

    async renderRelease({ environment, release, revision, current, asked }) {
      const shown = await rendered({ environment, release, revision, shownAs: revision });
      if (asked === undefined) return shown;
      const carried = { environment, release, tip: revision, current };
      const { authors, rejected } = await withGit(() => carriedBy(systems, carried));
      return { ...withRejected(shown, rejected), authors };
    },

    async previewOverlay(promotion) {
      const { rejected, ...found } = await releaseInPlace(systems, promotion);
      const { environment, asked } = promotion;
      const { released, revision } = found;
      const { change } = promotion.release;
      const release = { change, ...(released.image && { image: released.image }) };
      const target = { environment, release, revision, shownAs: `${changeName(change)} on ${revision}` };
      const { rendered } = await previewed(target, asked);
      return { ...found, ...(rendered && { rendered: withRejected(rendered, rejected) }) };
    },
  };

  /** Where nobody decides it is rendered all the same: it may have to be refused. */
  async function previewed(target: Target, asked: Approval): Promise<{ rendered?: Rendered }> {
    if (asked.by === 'decisions') return { rendered: await rendered(target) };
    await inScratch((scratch) => renderWanted(systems, renderer, scratch, target));
    return {};
  }

  /** What people decide on: it is compared with what runs, and stored. */
  function rendered(target: Target): Promise<Rendered> {
    return inScratch(async (scratch) => {
      const wanted = await renderWanted(systems, renderer, scratch, target);
      const { manifests, overlay, name, running, images, settings } = wanted;
      const before =
        running === undefined ? { manifests: [] } : await renderRunning(scratch, running, overlay, settings);
      const strays = await straysOf(argocd, name, [...before.manifests, ...manifests]);
      const runs = [...before.manifests, ...strays];
      const manifestsDigest = digestOf(manifests);
      const heading = `# ${name}: what runs (${running ?? 'nothing'}) against what would run (${target.shownAs})\n`;
      const hooks = hooksIn(manifests);
      const [problem] = before.problem?.split('\n') ?? [];
      const unknown =
        problem === undefined ? '' : `# What runs cannot be rendered, so all is shown as new: ${problem}\n`;
      const foreign = imagesPastGit(before.manifests, images);
      const meddled =
        foreign.length === 0 ? '' : `Pods run ${foreign.join(', ')}, past Git: the sync takes that back`;
      const run = hooks.map((hook) => `# The sync runs hook ${hook}\n`).join('');
      const { environment, release } = target;
      const diff = await storeDifference(
        systems,
        { environment, change: release.change },
        {
          head: `${heading}# Digest of the latter: ${manifestsDigest}\n${unknown}${meddled && `# ${meddled}\n`}${run}`,
          before: runs,
          after: manifests,
          scratch,
        },
      );
      const changes = summarize(compare(runs, manifests), hooks);
      return { manifestsDigest, diff, summary: meddled ? `${meddled}. ${changes}` : changes };
    });
  }

  /**
   * What runs may come from a commit that somebody has rewritten since, from a time without this overlay, or from before
   * this platform, with something in it that is not rendered here.
   */
  async function renderRunning(
    scratch: string,
    revision: string,
    path: string,
    settings: RenderSettings,
  ): Promise<{ manifests: Manifest[]; problem?: string }> {
    const directory = await unlessMissing(checkOut(scratch, revision), undefined);
    if (directory === undefined) return { manifests: [] };
    if ((await repository.object(revision, path)) === undefined) return { manifests: [] };
    try {
      return { manifests: await render(directory, path, settings) };
    } catch (error) {
      if (error instanceof KustomizeError) return { manifests: [], problem: error.message };
      throw error;
    }
  }
}
