import { stagesIn } from '../model/dockerfile.ts';
import { baseImageProblems } from './base-image.ts';
import { idleServicePatterns } from './end-to-end.ts';
import { baseProblems, overlayProblems, type Repository } from './layout-kustomizations.ts';
import { scriptProblems, testScriptProblems } from './layout-scripts.ts';
import { linkProblems } from './links.ts';
import type { Config } from './schema.ts';
import {
  bringsBase,
  idlePaths,
  idlePatterns,
  isIn,
  listServices,
  noServices,
  type Service,
} from './services.ts';
import { sourceFileProblems } from './source-files.ts';
import type { LayoutProblem, Tree } from './tree.ts';

/** What of a repository does not fit the configuration: each sentence says what to change. */
export async function layoutProblems(config: Config, tree: Tree): Promise<LayoutProblem[]> {
  const services = [...listServices(config, tree.files).values()];
  const environments = config.environments.map(({ name }) => name);
  const files = new Set(tree.files);
  const repository = { services, environments, tree, files };
  const problems = noServices(config, tree.files).map(({ folder, reason }) => ({
    path: folder,
    message: reason,
  }));
  problems.push(...idlePatterns(config, tree.files), ...idleServicePatterns(config, services));
  for (const service of services) {
    if (!service.source) problems.push(...(await sourceProblems(service, config.services, repository)));
    if (!bringsBase(service)) problems.push(...(await wholeBaseProblems(config, service, repository)));
    for (const environment of environments) {
      problems.push(...(await overlayProblems(service, environment, repository)));
      problems.push(...sourceFileProblems(config, service, environment, files));
    }
  }
  return [...problems, ...scriptProblems(config, services, files)];
}

/** What of a repository that holds the source of these services, and not their manifests, does not fit. */
export async function sourceLayoutProblems(
  config: Config,
  names: readonly string[],
  tree: Tree,
): Promise<LayoutProblem[]> {
  const services = [...listServices(config, []).values()].filter(({ name }) => names.includes(name));
  const files = new Set(tree.files);
  const problems = idlePaths(config, names, tree.files);
  for (const service of services) {
    problems.push(...(await sourceProblems(service, config.services, { files, tree })));
    if (bringsBase(service)) problems.push(...(await wholeBaseProblems(config, service, { files, tree })));
  }
  return [...problems, ...testScriptProblems(config, services, files)];
}

async function wholeBaseProblems(
  config: Config,
  service: Service,
  repository: Pick<Repository, 'files' | 'tree'>,
): Promise<LayoutProblem[]> {
  const { tree } = repository;
  const problems = [...linkProblems(service, tree), ...(await baseProblems(service, repository))];
  // Of a base that is not whole nobody knows which images it has.
  return problems.length > 0 ? problems : baseImageProblems(config, service, tree);
}

async function sourceProblems(
  { name, path, context, dockerfile, target }: Service,
  { explicit }: Config['services'],
  { files, tree }: Pick<Repository, 'files' | 'tree'>,
): Promise<LayoutProblem[]> {
  const correct = (key: string): string => `correct services.explicit.${name}.${key}`;
  const isThere = (folder: string): boolean => files.values().some((file) => isIn(file, folder));
  if (!isThere(path)) return [{ path, message: `is not there: ${correct('path')}` }];
  if (context === undefined || dockerfile === undefined) return [];
  if (!isThere(context)) return [{ path: context, message: `is not there: ${correct('context')}` }];
  if (!files.has(dockerfile)) {
    const remedy = explicit[name]?.dockerfile
      ? correct('dockerfile')
      : `write it, name another in services.explicit.${name}.dockerfile, or say image: false there`;
    return [{ path: dockerfile, message: `is not there: ${remedy}` }];
  }
  if (target === undefined || stagesIn((await tree.read(dockerfile)) ?? '').includes(target.toLowerCase()))
    return [];
  return [{ path: dockerfile, message: `has no stage ${target}: ${correct('target')}` }];
}
