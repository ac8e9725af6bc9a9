import { bringsBase, type Service } from '../../config/services.ts';
import type { WrittenRelease } from '../../model/promotion/release.ts';
import { sourceConfigOf } from '../../config/sources.ts';
import { manifestsPath } from '../../config/paths.ts';
import type { Release } from '../../model/delivery/change.ts';
import { refused } from '../failures.ts';
import { unlessMissing } from '../../systems/git/index.ts';
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
  return unlessMissing((here ? sourceOf(name) : repository).object(commit, base), undefined);
}

/**
 * Has the base where the release is written, if it lies with the source.
 *
 * @throws GitError
 * @throws Refused: the configuration has it elsewhere by now
 */
export async function bringBase(
  { config, repository, sourceOf }: Pick<Systems, 'config' | 'repository' | 'sourceOf'>,
  { change: { service, commit }, source: { base: verified, manifests } }: Release,
): Promise<void> {
  const elsewhere = sourceConfigOf(config, service);
  if (!elsewhere || manifests === undefined) return;
  const { base = `${manifestsPath(config, service)}/base` } = elsewhere;
  const brings = elsewhere.base !== undefined;
  const there = await (brings ? sourceOf(service).object(commit, base) : repository.object(manifests, base));
  if (there !== verified) {
    throw refused(`${service} has its base elsewhere by now (${base}). Deliver the change again.`);
  }
  if (brings) await repository.borrow(sourceOf(service), commit, base);
}
