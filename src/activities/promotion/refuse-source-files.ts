import { onSourceFile, sourceFiles } from '../../config/source-files.ts';
import type { Repository } from '../../systems/git/index.ts';

/** Why what an overlay says is not what Argo CD would render; undefined where it is. */
export async function refuseSourceFiles(
  repository: Pick<Repository, 'object'>,
  revision: string,
  overlay: string,
  application: string,
): Promise<string | undefined> {
  for (const path of sourceFiles(overlay, application)) {
    if ((await repository.object(revision, path)) !== undefined) return `${path} ${onSourceFile}.`;
  }
  return undefined;
}
