import { z } from 'zod';
import { applicationNamespace } from '../config/environments.ts';
import type { Config } from '../config/schema.ts';
import { argoProjApi } from '../systems/argocd/api-paths.ts';
import { otherNamespaces } from '../systems/argocd/list-owned.ts';
import { isForbidden, type Kubernetes } from '../systems/kubernetes/index.ts';
import { namespacePath } from '../systems/kubernetes/namespaces.ts';
import { wrongBuildOptions } from '../systems/kustomize/build-options.ts';
import { failed, ok, type Check, type Finding } from './check.ts';
import { giveRole, lackingRights, type Right } from './rights.ts';

/** The cluster, Argo CD in it, and what we may do there. */
export const cluster: Check = {
  name: 'cluster',
  async *look({ config, kubernetes, argocd }) {
    const api = await kubernetes();
    await api.get('/version');
    yield ok('cluster', `${api.config.getCurrentCluster()?.server} answers.`);
    if ((await api.get(argoProjApi)) === undefined) {
      const remedy = 'Install it, or let KUBECONFIG name the cluster that has it.';
      yield failed('Argo CD', 'There is none in this cluster.', remedy);
      return;
    }
    const found = await rights(api, config);
    yield found;
    if (found.state === 'failed') return;
    yield await argoCd(api, config.argocd.namespace);
    yield* await onHomes(api, config);
    yield onBuildOptions(await (await argocd()).kustomizeBuildOptions());
  },
};

/** What every promotion would be refused for. */
export function onBuildOptions(options: readonly string[]): Finding {
  const name = 'rendering';
  const wrong = wrongBuildOptions(options);
  return wrong === undefined
    ? ok(name, 'Argo CD gives Kustomize no option that changes what is approved.')
    : failed(name, `${wrong}: every promotion is refused.`, 'Remove it from that ConfigMap.');
}

/** Argo CD neither syncs nor judges what lies in a namespace that its setting does not name, and no backup holds it. */
async function onHomes(api: Kubernetes, config: Config): Promise<Finding[]> {
  const { namespace } = config.argocd;
  const others = homesOf(config).filter((home) => home !== namespace);
  if (others.length === 0) return [];
  const isLookedAt = await otherNamespaces(api, namespace, 'Application');
  return others.map((home) => {
    const name = `Applications in ${home}`;
    if (isLookedAt?.(home)) return ok(name, 'Argo CD looks at that namespace.');
    const detail = `Argo CD does not look at namespace ${home}, where environments.applicationNamespace says that Applications lie.`;
    const remedy = `Add ${home} to application.namespaces in ConfigMap argocd-cmd-params-cm of namespace ${namespace} and restart Argo CD, or correct applicationNamespace in gitops.yaml.`;
    return failed(name, detail, remedy);
  });
}

/** Where Applications of the environments lie. */
const homesOf = (config: Config): string[] => [
  ...new Set(config.environments.map(({ name }) => applicationNamespace(config, name))),
];

const podsSchema = z.object({
  items: z.array(
    z.object({
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
      }),
    }),
  ),
});

async function argoCd(api: Kubernetes, namespace: string): Promise<Finding> {
  const name = 'Argo CD';
  const settings = await api.get(`${namespacePath(namespace)}/configmaps/argocd-cm`);
  if (settings === undefined) {
    const detail = `Namespace ${namespace} has no Argo CD: no ConfigMap argocd-cm.`;
    return failed(name, detail, 'Correct argocd.namespace in gitops.yaml.');
  }
  const ready = await controllerIsReady(api, namespace);
  return ready === false
    ? failed(name, 'Its application controller is not ready.', `Look at: kubectl -n ${namespace} get pods`)
    : ok(name, `It is in namespace ${namespace}.`);
}

/** @returns undefined when we may not look */
async function controllerIsReady(api: Kubernetes, namespace: string): Promise<boolean | undefined> {
  try {
    const labelSelector = 'app.kubernetes.io/name=argocd-application-controller';
    const pods = podsSchema.parse(await api.get(`${namespacePath(namespace)}/pods`, { labelSelector }));
    return pods.items.some(({ status }) =>
      status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    );
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function rights(api: Kubernetes, config: Config): Promise<Finding> {
  const { namespace } = config.argocd;
  const argocd = { namespace, group: 'argoproj.io' };
  const needed: Right[] = [
    ...homesOf(config).flatMap((home) =>
      // Deleted is the Application of a service that is removed.
      ['get', 'list', 'watch', 'patch', 'update', 'delete'].map((verb) => ({
        namespace: home,
        group: 'argoproj.io',
        resource: 'applications',
        verb,
      })),
    ),
    { ...argocd, resource: 'appprojects', verb: 'get' },
    { namespace, group: '', resource: 'configmaps', verb: 'get' },
    ...(config.backup ? rightsToBackUp(config.argocd.namespace, config.backup.sealingKeys) : []),
  ];
  const lacking = await lackingRights(api, needed);
  const name = 'rights in the cluster';
  return lacking.length === 0
    ? ok(name, 'We may do with Applications what promotions and removals need.')
    : failed(name, `We may not ${lacking.join(', ')}.`, giveRole);
}

/** A backup holds everything, so whoever writes it may read everything in there. */
const rightsToBackUp = (namespace: string, sealingKeys: string): Right[] => [
  { namespace, group: '', resource: 'configmaps', verb: 'list' },
  { namespace, group: '', resource: 'secrets', verb: 'list' },
  { namespace: sealingKeys, group: '', resource: 'secrets', verb: 'list' },
  { namespace, group: 'argoproj.io', resource: 'appprojects', verb: 'list' },
  { namespace, group: 'argoproj.io', resource: 'applicationsets', verb: 'list' },
  { namespace, group: 'apps', resource: 'statefulsets', verb: 'list' },
];
