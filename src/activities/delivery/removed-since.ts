import { manifestsPath, serviceOfManifests } from '../../config/paths.ts';
import { isIn, listServices } from '../../config/services.ts';
import type { Systems } from '../systems.ts';
import { removalOf } from './removal-of.ts';
import { commitsAfter } from './what-is-new.ts';

/**
 * The services whose manifests were there and are no more, with the commit that took each away. Those that the
 * configuration still names are services: that they lack manifests, their deliveries say.
 *
 * @param changed paths of which the tip holds something else than `from`
 * @param services names of those that the tip has
 * @throws GitError
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
    for await (const { commit, paths } of commitsAfter(repository, from, tip)) {
      if (!paths.some((path) => isIn(path, manifests))) continue;
      if (await removalOf(systems, { service, commit })) removed.set(service, commit);
      break;
    }
  }
  return removed;
}
