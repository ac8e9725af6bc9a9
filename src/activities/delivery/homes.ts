import { listServices, type Service } from '../../config/services.ts';
import { sourceRepositories } from '../../config/sources.ts';
import { GitError, hasCommit, type Repository } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';

/** A repository, and the services that have their source in it. */
export interface Home {
  repository: Repository;
  branch: string;
  servicesAt(tip: string): Promise<Service[]>;
}

/** The platform's own first. */
export function homesOf({
  config,
  repository,
  sourceOf,
}: Pick<Systems, 'config' | 'repository' | 'sourceOf'>): [Home, ...Home[]] {
  const known = (files: readonly string[]) => [...listServices(config, files).values()];
  return [
    {
      repository,
      branch: config.repository.branch,
      servicesAt: async (tip) => known(await repository.files(tip)).filter(({ source }) => !source),
    },
    ...sourceRepositories(config).map(({ source: { branch }, services: [name = '', ...others] }): Home => ({
      repository: sourceOf(name),
      branch,
      servicesAt: async () => known([]).filter((one) => [name, ...others].includes(one.name)),
    })),
  ];
}

/**
 * The one on whose branch a commit is, else the first that has it, whichever of the others cannot be reached: one URL may be
 * there with two branches. Where nobody has it, the platform's, which says so.
 *
 * @throws GitError: one that may have it cannot be asked
 */
export async function homeOf(homes: [Home, ...Home[]], commit: string): Promise<Home> {
  let has: Home | undefined;
  let unread: GitError | undefined;
  for (const home of homes) {
    try {
      if (!(await hasCommit(home.repository, commit))) continue;
      if ((await home.repository.position(commit)) !== undefined) return home;
      has ??= home;
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      unread ??= error;
    }
  }
  if (has) return has;
  if (unread) throw unread;
  return homes[0];
}
