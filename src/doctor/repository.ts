import { layoutProblems } from '../config/layout.ts';
import { listServices } from '../config/services.ts';
import { failed, notLookedAt, ok, type Check } from './check.ts';

/** The repository, as Git sees it. */
export const repository: Check = {
  name: 'repository',
  async *look({ config: { repository }, repository: opened, tip }) {
    const revision = await tip();
    yield ok('repository', `${repository.branch} of ${repository.url} is at ${revision.slice(0, 10)}.`);
    await (await opened()).tryPush();
    yield ok('push', 'A dry run is accepted.');
  },
};

/** Whether what is at the branch's tip fits the configuration. */
export const layout: Check = {
  name: 'layout',
  async *look({ config, tree }) {
    const files = await tree().catch(() => undefined);
    if (!files) {
      yield notLookedAt('layout', 'the repository');
      return;
    }
    const problems = await layoutProblems(config, files);
    const remedy = `Commit the correction to ${config.repository.branch}. In a checkout, gitops config validate tells the same.`;
    for (const { path, message } of problems) yield failed('layout', `${path} ${message}.`, remedy);
    if (problems.length > 0) return;
    const services = [...listServices(config, files.files).keys()];
    yield ok('layout', `The folders of ${services.join(', ')} fit.`);
  },
};
