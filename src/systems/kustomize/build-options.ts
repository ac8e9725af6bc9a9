/** Those that neither run programs nor read anything outside of the kustomization. */
const harmless =
  /^(--load-restrictor=?|LoadRestrictionsRootOnly|--reorder=?|none|legacy|--enable-managedby-label)+$/;

/**
 * What is wrong with the options by which Argo CD renders, where manifests could come out that nobody approved.
 *
 * @param options `kustomize.buildOptions` in argocd-cm
 */
export function wrongBuildOptions(options: readonly string[]): string | undefined {
  const wrong = options.filter((option) => !harmless.test(option));
  if (wrong.length === 0) return undefined;
  return `argocd-cm has kustomize.buildOptions ${wrong.join(' ')}, with which manifests could run programs or read other files`;
}
