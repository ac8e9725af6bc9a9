/**
 * Whether one version of Argo CD takes over what another one left.
 *
 * @param from of the backup
 * @param to that is installed
 * @returns why not; undefined also where a version is not known
 */
export function cannotMigrate(from: string | undefined, to: string | undefined): string | undefined {
  const [before, after] = [majorOf(from), majorOf(to)];
  if (before === undefined || after === undefined) return undefined;
  if (before > after) return `Argo CD ${to} does not read what ${from}, a later major version, wrote.`;
  if (after > before + 1)
    return `Argo CD ${from} cannot become ${to} in one step: no major version is left out.`;
  return undefined;
}

function majorOf(version = ''): number | undefined {
  const [, major] = /^v?(\d+)\./.exec(version) ?? [];
  return major === undefined ? undefined : Number(major);
}
