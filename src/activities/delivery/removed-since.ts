import { manifestsPath, serviceOfManifests } from '../../config/paths.ts';
import { isIn, listServices } from '../../config/services.ts';
import type { Repository } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';
import { refused } from '../failures.ts';
import { removalOf, wasService } from './removal-of.ts';
import { commitsAfter } from './what-is-new.ts';

/**
 * The services whose manifests were there and are no more, with the commit that took each away. Those that the
 * configuration still names are services: that they lack manifests, their deliveries say.
 *
 * @param changed paths of which the tip holds something else than `from`
 * @param services names of those that the tip has
 * @throws GitError
 * @throws Refused: somebody rewrote the branch, and no commit of it took the manifests away
 */
export async function removedSince(
  systems: Pick<Systems, 'config' | 'repository'>,
  { from, tip, changed }: { from: string; tip: string; changed: string[] },
  services: string[],
): Promise<Map<string, string>> {
  const { config, repository } = systems;
  const names = new Set(changed.flatMap((path) => serviceOfManifests(config, path) ?? []));
  for (const name of [...services, ...listServices(config, []).keys()]) names.delete(name);
  const removed = new Map<string, string>();
  for (const service of names) {
    const manifests = manifestsPath(config, service);
    if ((await repository.object(tip, manifests)) !== undefined) continue;
    const commit = await newestIn(repository, manifests, from, tip);
    if (commit === undefined) await refuseLost(systems, service, { from, tip });
    else if (await removalOf(systems, { service, commit })) removed.set(service, commit);
  }
  return removed;
}

async function newestIn(
  repository: Repository,
  folder: string,
  from: string,
  tip: string,
): Promise<string | undefined> {
  for await (const { commit, paths } of commitsAfter(repository, from, tip)) {
    if (paths.some((path) => isIn(path, folder))) return commit;
  }
  return undefined;
}

/** @throws Refused: nobody would look after what it runs, nor take it away */
async function refuseLost(
  { config, repository }: Pick<Systems, 'config' | 'repository'>,
  service: string,
  { from, tip }: { from: string; tip: string },
): Promise<void> {
  if (!wasService(config, service, await repository.files(from))) return;
  throw refused(
    `${service} has its manifests at ${from} and none at ${tip}, and no commit took them away: somebody rewrote the branch. ` +
      `What runs of it stays. To remove it, bring ${manifestsPath(config, service)} back and take it away in a commit; ` +
      `to leave it, deliver the others: gitops deliver --all`,
  );
}
