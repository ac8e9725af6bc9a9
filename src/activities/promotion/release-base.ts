import { bringsBase, type Service } from '../../config/services.ts';
import type { WrittenRelease } from '../../model/promotion/release.ts';
import { sourceOf as configuredSource } from '../../config/sources.ts';
import type { Change } from '../../model/delivery/change.ts';
import { GitError } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';

/**
 * The Git tree that a release of a service has to hold as its base: as its change has it, or the commit of the manifests'
 * repository that it names. Undefined also for a commit that nobody has: a release that was written by hand may name any.
 */
export async function baseOf(
  { repository, sourceOf }: Pick<Systems, 'repository' | 'sourceOf'>,
  service: Service,
  { change, source }: WrittenRelease,
): Promise<string | undefined> {
  const { name, source: elsewhere, base } = service;
  // Where the service has moved to another repository since, the release tells it as it was.
  if (Boolean(elsewhere) !== (source?.manifests !== undefined)) return undefined;
  const here = bringsBase(service);
  const commit = here ? change.commit : (source?.manifests ?? change.commit);
  try {
    return await (here ? sourceOf(name) : repository).object(commit, base);
  } catch (error) {
    if (error instanceof GitError && error.kind === 'missing') return undefined;
    throw error;
  }
}

/** Has the base where the release is written, if it lies with the source. @throws GitError */
export async function bringBase(
  { config, repository, sourceOf }: Pick<Systems, 'config' | 'repository' | 'sourceOf'>,
  { service, commit }: Change,
): Promise<void> {
  const base = configuredSource(config, service)?.base;
  if (base !== undefined) await repository.borrow(sourceOf(service), commit, base);
}
