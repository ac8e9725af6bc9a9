import { sourceLayoutProblems } from '../config/layout.ts';
import { sourceRepositories } from '../config/sources.ts';
import { failed, findingOf, ok, type Check, type Finding } from './check.ts';
import type { World } from './world.ts';

/** Repositories that hold the source of services, and not their manifests. */
export const sources: Check = {
  name: 'sources',
  async *look(world) {
    for (const one of sourceRepositories(world.config)) {
      const name = `source of ${one.services.join(', ')}`;
      // Where one cannot be read, the others are looked at all the same.
      try {
        yield* lookAt(world, one, name);
      } catch (error) {
        yield findingOf(name, error);
      }
    }
  },
};

async function* lookAt(
  { config, sourceTree }: World,
  { source, services }: ReturnType<typeof sourceRepositories>[number],
  name: string,
): AsyncGenerator<Finding> {
  const tree = await sourceTree(source);
  yield ok(name, `${source.branch} of ${source.repository} is at ${tree.tip.slice(0, 10)}.`);
  const remedy = `Commit the correction to ${source.branch} of ${source.repository}, or correct gitops.yaml.`;
  for (const { path, message } of await sourceLayoutProblems(config, services, tree)) {
    yield failed(name, `${path} ${message}.`, remedy);
  }
}
