import { onSourceFile, sourceFilesOf } from '../../config/source-files.ts';
import type { Repository } from '../../systems/git/index.ts';

/** Why what an overlay says is not what Argo CD would render; undefined where it is. */
export async function refuseSourceFiles(
  repository: Pick<Repository, 'files'>,
  revision: string,
  overlay: string,
  application: string,
): Promise<string | undefined> {
  const files = await repository.files(revision, overlay);
  const [path] = sourceFilesOf(files, overlay, application);
  return path && `${path} ${onSourceFile}.`;
}
