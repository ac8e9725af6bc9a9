import picomatch from 'picomatch';
import { linksInBase, onLink } from '../../config/links.ts';
import { bringsBase, ownsPath, type Service } from '../../config/services.ts';
import type { Repository } from '../../systems/git/index.ts';

/**
 * Why a checkout would lack some of what a service owns: tests would pass without it, images be built without it, and a
 * release carry a link that leads nowhere.
 */
export async function refuseMissingFiles(
  repository: Pick<Repository, 'linksAndModules' | 'lfsPointers'>,
  service: Service,
  commit: string,
): Promise<string | undefined> {
  const { name, paths } = service;
  const { links, modules } = await repository.linksAndModules(commit);
  // Elsewhere a folder of that name is not the base.
  const isElsewhere = service.source && !bringsBase(service);
  const [link] = isElsewhere ? [] : linksInBase(service, links);
  if (link !== undefined) return `${link} ${onLink}.`;

  const module = modules.find((one) => ownsPath(service, one) || paths.some((glob) => isBelow(one, glob)));
  if (module !== undefined) {
    return `${module} is a Git submodule, and belongs to ${name}: a checkout holds none of its files. Commit them in its place, or leave it out and have the build fetch them.`;
  }
  const pointers = await repository.lfsPointers(commit, paths);
  const pointer = pointers.find((one) => ownsPath(service, one));
  if (pointer !== undefined) {
    return `${pointer} is kept by Git LFS, and belongs to ${name}: a checkout holds a note of where it lies instead of its content. Commit the file itself (git lfs migrate export), or leave it out and have the build fetch it.`;
  }
  return undefined;
}

const isBelow = (folder: string, glob: string): boolean =>
  `${picomatch.scan(glob).base}/`.startsWith(`${folder}/`);
