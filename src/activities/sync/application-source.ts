import type { Config } from '../../config/schema.ts';
import type { Application } from '../../model/argocd/application.ts';

/**
 * Why an Application does not sync what this program writes: then nothing that is said about it here would be true.
 *
 * @param overlay folder that it should sync
 */
export function refuseSource(
  config: Pick<Config, 'repository'>,
  application: Pick<Application, 'name' | 'source' | 'hydrated'>,
  overlay: string,
): string | undefined {
  const wrong = wrongSource(config, application, overlay);
  return wrong && `Application ${application.name} ${wrong}. Correct the Application, or gitops.yaml.`;
}

/** What of an Application's source is wrong: `syncs from …`. */
export function wrongSource(
  { repository }: Pick<Config, 'repository'>,
  { source, hydrated }: Pick<Application, 'source' | 'hydrated'>,
  overlay: string,
): string | undefined {
  if (!source) {
    const instead = hydrated ? 'spec.sourceHydrator' : 'spec.sources';
    return `has no single source: it needs spec.source with path ${overlay} instead of ${instead}`;
  }
  if (pathOf(source.repoURL) !== pathOf(repository.url)) {
    return `syncs from ${source.repoURL}, not from ${repository.url}`;
  }
  if (source.path?.replace(/^\.\/|\/$/g, '') !== overlay) {
    return `syncs ${source.path ?? 'no path'}, not ${overlay}`;
  }
  if (source.renderer !== undefined) {
    return `renders ${overlay} by spec.source.${source.renderer}, and not by Kustomize as releases are: take that block out`;
  }
  const { targetRevision = 'HEAD' } = source;
  if (!['HEAD', repository.branch, `refs/heads/${repository.branch}`].includes(targetRevision)) {
    return `follows ${targetRevision}, not ${repository.branch}`;
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
