import { mkdtemp, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Application } from '../../model/argocd/application.ts';
import type { Manifest } from '../../model/manifests.ts';
import { build } from '../../systems/kustomize/build.ts';
import { type Rendering, KustomizeError } from '../../systems/kustomize/index.ts';
import { parseManifests } from '../../systems/kustomize/parse.ts';
import { withScratch } from '../../systems/work-directory/scratch.ts';
import { refused } from '../failures.ts';
import type { Systems } from '../systems.ts';

export type RenderSettings = Pick<Rendering, 'options' | 'overrides'>;

/** Half of an attempt's time, for two renders side by side that take seconds. */
const timeoutMs = 150_000;

/** Each keeps a core busy, and a crowd of changes comes at once. */
const limit = pLimit(availableParallelism());

/**
 * Renders commits as Argo CD does.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createRenderer(
  { repository, argocd }: Pick<Systems, 'repository' | 'argocd'>,
  workDirectory: string,
) {
  return {
    /** Gives some work a folder that goes with it. @throws Refused: Kustomize cannot render what it renders there */
    inScratch: <T>(work: (scratch: string) => Promise<T>): Promise<T> =>
      limit(() =>
        withScratch(join(workDirectory, 'renders'), async (scratch) => {
          try {
            return await work(await realpath(scratch));
          } catch (error) {
            throw error instanceof KustomizeError ? refused(error.message) : error;
          }
        }),
      ),

    /** @throws GitError */
    checkOut: async (scratch: string, revision: string): Promise<string> => {
      // One may be looked at twice, side by side.
      const directory = await mkdtemp(join(scratch, 'commit-'));
      await repository.checkout(revision, directory);
      return directory;
    },

    settingsOf: async (application: Application | undefined): Promise<RenderSettings> => ({
      options: await argocd.kustomizeBuildOptions(),
      overrides: application?.source?.kustomize,
    }),
  };
}

export type Renderer = ReturnType<typeof createRenderer>;

/** @throws KustomizeError */
export const render = async (root: string, path: string, settings: RenderSettings): Promise<Manifest[]> =>
  parseManifests(await build({ root, path, ...settings }, AbortSignal.timeout(timeoutMs)));
