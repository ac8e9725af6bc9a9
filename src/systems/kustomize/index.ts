export interface Rendering {
  /** The commit's files, absolute, without symbolic links. Changed by overrides. */
  root: string;
  /** Folder below root. */
  path: string;
  /** Options that Argo CD gives to every build (`kustomize.buildOptions` in argocd-cm). */
  options?: readonly string[];
  /** `spec.source.kustomize` of the Application. */
  overrides?: Record<string, unknown> | undefined;
}

/** It cannot be rendered as Argo CD would, or not without reaching out of the commit. No other attempt mends it. */
export class KustomizeError extends Error {
  override readonly name = 'KustomizeError';
}
