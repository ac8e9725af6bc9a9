import { ownsPath, type Service } from '../../config/services.ts';
import { unlessMissing, type Repository } from '../../systems/git/index.ts';

/** Who changed nothing in so many commits of the branch is not looked for any further: its tip holds the same. */
const mostSearched = 10_000;

export interface News {
  paths: string[];
  /** Somebody rewrote the branch in between. */
  rewritten: boolean;
}

/**
 * The paths that the branch's tip has otherwise than `from`. Where somebody rewrote the branch in between, also those
 * of the commits that came and went: deliveries of what went end, and what came may be the same in another commit.
 *
 * @returns undefined where nobody has `from` any more
 */
export async function whatIsNew(
  repository: Repository,
  from: string | undefined,
  tip: string,
): Promise<News | undefined> {
  if (from === undefined) return { paths: await repository.files(tip), rewritten: false };
  return unlessMissing(differing(repository, from, tip), undefined);
}

async function differing(repository: Repository, from: string, tip: string): Promise<News> {
  const paths = new Set(await repository.differingPaths(from, tip));
  const rewritten = !(await repository.isAncestor(from, tip));
  const ways = [
    [from, tip],
    [tip, from],
  ] as const;
  for (const [before, after] of rewritten ? ways : []) {
    for await (const commit of commitsAfter(repository, before, after))
      for (const path of commit.paths) paths.add(path);
  }
  return { paths: [...paths], rewritten };
}

/** The newest commit of the branch's own line that changed each service. */
export async function newestChanges(
  repository: Repository,
  services: Service[],
  from: string | undefined,
  tip: string,
): Promise<Map<string, string>> {
  const newest = new Map<string, string>();
  if (services.length === 0) return newest;
  for await (const { commit, paths } of commitsAfter(repository, from, tip)) {
    for (const service of services) {
      if (newest.has(service.name)) continue;
      if (paths.some((path) => ownsPath(service, path))) newest.set(service.name, commit);
    }
    if (newest.size === services.length) break;
  }
  return newest;
}

/** Of the branch's own line, as far back as is searched. */
export async function* commitsAfter(repository: Repository, from: string | undefined, to: string) {
  let count = 0;
  for await (const commit of repository.commitsAfter(from, to)) {
    yield commit;
    if (++count === mostSearched) return;
  }
}
