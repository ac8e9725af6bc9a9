import { applicationName } from './environments.ts';
import type { LayoutProblem } from './tree.ts';
import { overlayPath } from './paths.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';

/**
 * Files beside an overlay with which Argo CD changes an Application's source before it renders.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git
 */
export const sourceFiles = (overlay: string, application: string): string[] =>
  ['.argocd-source.yaml', `.argocd-source-${application}.yaml`].map((file) => `${overlay}/${file}`);

export const onSourceFile =
  'has Argo CD render something else than the overlay that people see: write what it says into the kustomization.yaml beside it, and delete it';

export const sourceFileProblems = (
  config: Config,
  service: Service,
  environment: string,
  files: ReadonlySet<string>,
): LayoutProblem[] =>
  sourceFiles(overlayPath(service, environment), applicationName(config, service.name, environment))
    .filter((path) => files.has(path))
    .map((path) => ({ path, message: onSourceFile }));
