import { baseProblems, overlayProblems } from './layout-kustomizations.ts';
import { scriptProblems } from './layout-scripts.ts';
import type { Config } from './schema.ts';
import { idlePatterns, listServices, noServices, type Service } from './services.ts';
import type { LayoutProblem, Tree } from './tree.ts';

/** What of a repository does not fit the configuration: each sentence says what to change. */
export async function layoutProblems(config: Config, tree: Tree): Promise<LayoutProblem[]> {
  const services = [...listServices(config, tree.files).values()];
  const environments = config.environments.map(({ name }) => name);
  const files = new Set(tree.files);
  const place = { services, environments, tree, files };
  const problems = noServices(config, tree.files).map(({ folder, reason }) => ({
    path: folder,
    message: reason,
  }));
  problems.push(...idlePatterns(config, tree.files));
  for (const service of services) {
    problems.push(...sourceProblems(service, files), ...(await baseProblems(service, place)));
    for (const environment of environments) {
      problems.push(...(await overlayProblems(service, environment, place)));
    }
  }
  return [...problems, ...scriptProblems(config, services, files)];
}

function sourceProblems({ name, path, dockerfile }: Service, files: ReadonlySet<string>): LayoutProblem[] {
  if (!files.values().some((file) => file.startsWith(`${path}/`))) {
    return [{ path, message: `is not there: correct services.explicit.${name}.path` }];
  }
  if (dockerfile === undefined || files.has(dockerfile)) return [];
  return [
    {
      path: dockerfile,
      message: `is not there: write it, or say image: false in services.explicit.${name}`,
    },
  ];
}
