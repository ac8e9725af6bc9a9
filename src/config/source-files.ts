import { posix } from 'node:path';
import { applicationName } from './environments.ts';
import type { LayoutProblem } from './tree.ts';
import { overlayPath } from './paths.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';

/**
 * Of some files those that lie beside an overlay and have Argo CD render something else: with some it changes the
 * Application's source; others it takes for a chart, by the end of their names, and renders that where they come last.
 *
 * @param application its namespace before it (`team-a/claims-dev`), where that is not Argo CD's
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git
 */
export function sourceFilesOf(files: Iterable<string>, overlay: string, application: string): string[] {
  const own = `.argocd-source-${application.replace('/', '_')}.yaml`;
  const overrides = new Set(['.argocd-source.yaml', own]);
  return [...files].filter((file) => {
    const name = posix.basename(file);
    return posix.dirname(file) === overlay && (overrides.has(name) || name.endsWith('Chart.yaml'));
  });
}

export const onSourceFile =
  'has Argo CD render something else than the overlay that people see: write what it says into the kustomization.yaml beside it, and delete it';

export const sourceFileProblems = (
  config: Config,
  service: Service,
  environment: string,
  files: ReadonlySet<string>,
): LayoutProblem[] =>
  sourceFilesOf(
    files,
    overlayPath(service, environment),
    applicationName(config, service.name, environment),
  ).map((path) => ({ path, message: onSourceFile }));
