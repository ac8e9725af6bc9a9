import { releasePath } from '../../config/paths.ts';
import { listServices, manifestsOnly, ownsPath, type Service } from '../../config/services.ts';
import type { Change, ResolvedChange } from '../../model/delivery/change.ts';
import { writtenRelease } from '../promotion/written-release.ts';
import type { Systems } from '../systems.ts';
import { subjectOf } from './commit-subject.ts';
import { newestChanges } from './what-is-new.ts';

type NewManifestsSystems = Pick<Systems, 'config' | 'repository' | 'sourceOf'>;

/**
 * Services whose manifests are new and whose source is elsewhere, at its newest commit of theirs: that brings the manifests.
 *
 * @param paths of the manifests' repository that are new
 * @throws GitError
 */
export async function withNewManifests(
  systems: NewManifestsSystems,
  paths: string[],
): Promise<ResolvedChange[]> {
  const changed = [...listServices(systems.config, []).values()].filter(
    (service) =>
      service.source && paths.some((path) => ownsPath(manifestsOnly(systems.config, service), path)),
  );
  const found: ResolvedChange[] = [];
  for (const service of changed) {
    const source = systems.sourceOf(service.name);
    const tip = await source.tip();
    const commit = (await newestChanges(source, [service], undefined, tip)).get(service.name) ?? tip;
    const change: Change = { service: service.name, commit };
    if (await isEverywhere(systems, service, commit)) continue;
    found.push({ change, subject: subjectOf(await source.commit(commit)), again: true, manifests: true });
  }
  return found;
}

/** Whether a delivery that began after the manifests changed has brought both into every environment. */
async function isEverywhere(
  { config, repository }: NewManifestsSystems,
  service: Service,
  commit: string,
): Promise<boolean> {
  const tip = await repository.tip();
  const { manifests, releases } = manifestsOnly(config, service);
  const newest = await repository.lastChange(tip, manifests, releases);
  for (const { name } of config.environments) {
    const written = await writtenRelease(repository, tip, releasePath({ manifests }, name));
    if (written?.change.commit !== commit || written.source?.manifests !== newest) return false;
  }
  return true;
}
