import type { Config } from '../config/schema.ts';
import type { Application } from '../model/application.ts';

/**
 * Why an Application does not sync what this program writes: then nothing that is said about it here would be true.
 *
 * @param overlay folder that it should sync
 */
export function refuseSource(
  { repository }: Pick<Config, 'repository'>,
  { name, source }: Pick<Application, 'name' | 'source'>,
  overlay: string,
): string | undefined {
  const fix = 'Correct the Application, or gitops.yaml.';
  if (!source) return `Application ${name} has no single source. Give it spec.source with path ${overlay}.`;
  if (pathOf(source.repoURL) !== pathOf(repository.url)) {
    return `Application ${name} syncs from ${source.repoURL}, not from ${repository.url}. ${fix}`;
  }
  if (source.path?.replace(/^\.\/|\/$/g, '') !== overlay) {
    return `Application ${name} syncs ${source.path ?? 'no path'}, not ${overlay}. ${fix}`;
  }
  const { targetRevision = 'HEAD' } = source;
  if (!['HEAD', repository.branch, `refs/heads/${repository.branch}`].includes(targetRevision)) {
    return `Application ${name} follows ${targetRevision}, not ${repository.branch}. ${fix}`;
  }
  return undefined;
}

/** Argo CD may reach the same repository by another protocol, host or port. */
const pathOf = (url: string): string =>
  url
    .replace(/^[a-z+]+:\/\/[^/]+\//i, '')
    .replace(/^[^/@]+@[^/:]+:/, '')
    .replace(/\/$/, '')
    .replace(/\.git$/, '')
    .toLowerCase();
