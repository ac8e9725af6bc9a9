import { promotionSettings } from '../../config/promotion-settings.ts';
import { releasePath } from '../../config/paths.ts';
import type { Service } from '../../config/services.ts';
import {
  parseReleaseKustomization,
  releaseKustomization,
  releaseMessage,
} from '../../model/promotion/release.ts';
import { GitError } from '../../systems/git/index.ts';
import { releaseTree } from '../../systems/git/release-tree.ts';
import { wantedBy } from '../../systems/temporal/runs.ts';
import { outlived, withGit } from '../failures.ts';
import { knownService } from '../delivery/known-service.ts';
import { refuseGone } from './refuse-gone.ts';
import { refuseOlder } from './refuse-older.ts';
import type { Systems } from '../systems.ts';
import type { ReleaseActivities, SeenRelease } from '../contract.ts';

export function createReleaseActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'temporal'>,
): ReleaseActivities {
  const { config, repository, temporal } = systems;

  return {
    /** Reads only. */
    readRelease: ({ environment, service: name }) =>
      withGit(async (): Promise<SeenRelease> => {
        const tip = await repository.tip();
        const service = await knownService(systems, name, tip);
        const path = releasePath(service, environment);
        const tree = await repository.object(tip, path);
        if (tree === undefined) return { tip };
        const written = parseReleaseKustomization(
          (await repository.read(tip, `${path}/kustomization.yaml`)) ?? '',
        );
        if (written?.change.service !== name) return { tip, tree };
        const base = await baseAt(written.change.commit, service);
        const ours = base !== undefined && releaseTree(base, releaseKustomization(written)) === tree;
        return ours ? { tip, tree, change: written.change } : { tip, tree };
      }),

    /** Safe to repeat, side by side and late: compare-and-set on the tree that the promotion saw. */
    writeRelease: ({ environment, release, seen, asker }) =>
      withGit(async () => {
        const { change, source } = release;
        const gone = await refuseGone(repository, change, seen.tip);
        if (gone !== undefined) return { state: 'refused', reason: gone };
        const older = await refuseOlder(repository, { environment, seen, position: source.position });
        if (older !== undefined) return { state: 'refused', reason: older };
        if (promotionSettings(config, environment).entersBy !== 'push') {
          return {
            state: 'refused',
            reason: `By now the configuration has releases enter ${environment} by pull request. Deliver the change again.`,
          };
        }
        const service = await knownService(systems, change.service, seen.tip);
        const path = releasePath(service, environment);
        const written = await repository.writeRelease({
          branch: config.repository.branch,
          path,
          base: source.base,
          kustomization: releaseKustomization(release),
          expectedTree: seen.tree,
          message: releaseMessage(environment, release),
          stillWanted: wantedBy(temporal, asker),
        });
        if (written.state === 'written') return written;
        if (written.state === 'unwanted') {
          return { state: 'refused', reason: outlived };
        }
        return {
          state: 'refused',
          reason: `Somebody else wrote ${path} meanwhile. Look at who did, then deliver the change again.`,
        };
      }),
  };

  /** Undefined also for a commit that nobody has: a release that was written by hand may name any. */
  async function baseAt(commit: string, { manifests }: Service): Promise<string | undefined> {
    try {
      return await repository.object(commit, `${manifests}/base`);
    } catch (error) {
      if (error instanceof GitError && error.kind === 'missing') return undefined;
      throw error;
    }
  }
}
