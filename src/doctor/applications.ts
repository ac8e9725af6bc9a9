import pLimit from 'p-limit';
import { wrongSource } from '../activities/sync/application-source.ts';
import { refuseMisplaced } from '../activities/sync/misplaced-application.ts';
import { applicationName, namespaceOf } from '../config/environments.ts';
import { overlayPath, releasePath } from '../config/paths.ts';
import type { Config, EnvironmentConfig } from '../config/schema.ts';
import { listServices, type Service } from '../config/services.ts';
import type { Application } from '../model/argocd/application.ts';
import { failed, notLookedAt, ok, warning, type Check, type Finding } from './check.ts';
import { onPods } from './pods.ts';

/** So many requests at once are no burden for an API server, and hundreds of services take seconds. */
const atOnce = 10;

/** The Argo CD Application of each service in each environment. Those that make these are not in the configuration. */
export const applications: Check = {
  name: 'Applications',
  async *look({ config, tree, kubernetes, argocd }) {
    const found = await tree().catch(() => undefined);
    if (!found) {
      yield notLookedAt('Applications', 'the repository');
      return;
    }
    const limit = pLimit(atOnce);
    const destinations = new Map<string, Application['destination']>();
    const looks = listServices(config, found.files)
      .values()
      .flatMap((service) =>
        config.environments.map((environment) =>
          limit(async () => {
            const name = applicationName(config, service.name, environment.name);
            const application = await (await argocd()).application(name);
            if (application) {
              const { name: cluster, server, namespace } = application.destination;
              const key = [cluster, server, namespace].join(' ');
              if (service.image !== undefined) destinations.set(key, application.destination);
              return onApplication(config, application, service, environment);
            }
            const place = { environment: environment.name, service: service.name };
            const misplaced = await refuseMisplaced({ config, argocd: await argocd() }, place);
            return misplaced === undefined
              ? [onMissing(service, environment, name, found.files)]
              : [failed(`Application ${name}`, misplaced, 'Do one of both.')];
          }),
        ),
      );
    // Where one cannot be read, none can, and the cluster's own line says why.
    const answers = await Promise.all(looks).catch(() => undefined);
    if (!answers) {
      yield notLookedAt('Applications', 'the cluster');
      return;
    }
    yield* answers.flat();
    const home = { kubernetes: await kubernetes(), namespace: config.argocd.namespace };
    // Whichever was read first.
    const inOrder = [...destinations].toSorted(([a], [b]) => a.localeCompare(b));
    const seen = inOrder.map(([, destination]) => limit(() => onPods(home, destination)));
    yield* (await Promise.all(seen)).flat();
  },
};

/** A new service is promoted before or after its Application comes; where a release lies, somebody expects it to run. */
function onMissing(
  service: Service,
  environment: EnvironmentConfig,
  application: string,
  files: readonly string[],
): Finding {
  const name = `Application ${application}`;
  const release = `${releasePath(service, environment.name)}/`;
  if (files.some((file) => file.startsWith(release))) {
    const remedy = `Create it with path ${overlayPath(service, environment.name)}, or correct environments.application.`;
    return failed(name, `There is none, and ${release} holds a release for it.`, remedy);
  }
  const remedy = 'Deliver what holds it before the service, or correct environments.application.';
  return warning(name, 'There is none yet: the first promotion waits for it.', remedy);
}

function onApplication(
  config: Config,
  application: Application,
  service: Service,
  environment: EnvironmentConfig,
): Finding[] {
  const name = `Application ${application.name}`;
  const found: Finding[] = [];
  const wrong = wrongSource(config, application, overlayPath(service, environment.name));
  if (wrong !== undefined) {
    found.push(failed(name, `It ${wrong}.`, 'Correct its spec.source, or gitops.yaml.'));
  } else if (hostOf(application.source?.repoURL ?? '') !== hostOf(config.repository.url)) {
    const detail = `It syncs from ${application.source?.repoURL}, and ${config.repository.url} is written to.`;
    found.push(warning(name, detail, 'Make sure that both are the same repository.'));
  }
  if (application.deleting) {
    found.push(failed(name, 'It is being deleted.', 'Create it again once it is gone.'));
  }
  found.push(...onSyncPolicy(name, application, environment));
  const namespace = namespaceOf(config, environment.name);
  // A service without an image brings namespaces and Applications rather than pods.
  if (service.image !== undefined && application.destination.namespace !== namespace) {
    const detail = `It deploys to namespace ${application.destination.namespace ?? '(none)'}, not to ${namespace}.`;
    const remedy = `Correct its spec.destination, or environments.namespace of ${environment.name}.`;
    found.push(failed(name, detail, remedy));
  }
  return found.length > 0 ? found : [ok(name, 'It fits.')];
}

function onSyncPolicy(
  name: string,
  { automated }: Application,
  { sync, name: environment }: EnvironmentConfig,
): Finding[] {
  if (sync === 'manual' && automated) {
    const detail = `Argo CD syncs it by itself, so a merge alone changes ${environment}.`;
    return [failed(name, detail, 'Remove syncPolicy.automated from it, or say sync: automated.')];
  }
  if (sync === 'automated' && !automated) {
    const remedy = 'Give it syncPolicy.automated, or say sync: manual.';
    return [failed(name, 'Argo CD does not sync it by itself.', remedy)];
  }
  if (automated && !automated.prune) {
    const detail = 'Argo CD does not prune: what a release leaves out stays, and it is never in sync.';
    return [warning(name, detail, 'Set syncPolicy.automated.prune: true.')];
  }
  return [];
}

/** Of `https://host:port/…` and of `git@host:…`. */
const hostOf = (url: string): string | undefined => /^(?:[a-z+]+:\/\/)?(?:[^/@]+@)?([^/:]+)/i.exec(url)?.[1];
