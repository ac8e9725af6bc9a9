import { lookup } from 'node:dns/promises';
import { z } from 'zod';
import { createKubernetes } from '../systems/kubernetes/api-client.ts';
import { KubernetesError, type Kubernetes } from '../systems/kubernetes/index.ts';
import { readInstallation } from '../systems/argocd/manifest.ts';
import { clusterUid } from '../systems/kubernetes/namespaces.ts';
import { recoveryPoints } from '../systems/backups/catalogue.ts';
import { connectionSettings } from '../systems/temporal/connect.ts';
import { recoveryOf } from '../wiring/backup-stores.ts';
import {
  failed,
  findingOf,
  ifAvailable,
  ok,
  readerElsewhere,
  warning,
  type Check,
  type Finding,
} from './check.ts';
import type { World } from './world.ts';

/** Whether the cluster could be rebuilt, were it lost now. */
export const recreation: Check = {
  name: 'recreation',
  async *look(world) {
    if (!world.config.backup) return;
    for (const [name, look] of Object.entries(subjects)) {
      yield await look(name, world).catch((error: unknown) => findingOf(name, error));
    }
  },
};

const subjects: Record<string, (name: string, world: World) => Promise<Finding>> = {
  'place of this program': async (name, { kubernetes }) =>
    runsIn((await kubernetes()).config.getCurrentCluster()?.server)
      ? warning(
          name,
          'It runs in the cluster that it would have to rebuild, and is lost with it.',
          'Have a machine elsewhere that could run gitops worker --queues delivery,recovery: docs/runbooks/cluster-recreation.md says what it needs.',
        )
      : ok(name, 'It does not run in the cluster that it would have to rebuild.'),

  'place of Temporal': async (name, { kubernetes }) => {
    const host = connectionSettings().options.address.replace(/:\d+$/, '');
    const service = isServiceName(host) ? host : await serviceAt(host, await kubernetes());
    if (service === undefined)
      return ok(name, `${host} is not in the cluster that would have to be rebuilt.`);
    return warning(
      name,
      `It is in the cluster that would have to be rebuilt (${service}), and is lost with it.`,
      'A recreation can be run from a Temporal server of its own: docs/runbooks/cluster-recreation.md says how.',
    );
  },

  'manifest of Argo CD': async (name, { config: { argocd } }) => {
    if (!argocd.install) {
      return failed(
        name,
        'gitops.yaml does not say what a lost Argo CD is installed from.',
        'Write argocd.install with manifest and sha256: docs/configuration.md has it.',
      );
    }
    const { version } = await readInstallation(argocd.install);
    return ok(
      name,
      `It is the one that was pinned${version === undefined ? '' : `, of Argo CD ${version}`}.`,
    );
  },

  'control plane of drills': async (name, { config, kubernetes }) => {
    const { drill } = config.recreation;
    if (!drill) {
      return warning(
        name,
        'gitops.yaml names none, so no backup is ever tried.',
        'Write recreation.drill with the kubeconfig of an empty one: docs/configuration.md has it.',
      );
    }
    const scratch = await clusterUid(createKubernetes(drill.kubeconfig, drill.context));
    const live = await kubernetes()
      .then(clusterUid)
      .catch(() => undefined);
    return scratch === live
      ? failed(name, 'It is the cluster itself.', 'Let recreation.drill name an empty one that nobody needs.')
      : ok(name, 'It answers, and is another one than the cluster.');
  },

  'proven backup': async (name, { config: { backup } }) => {
    const recovery = backup && ifAvailable(() => recoveryOf(backup));
    if (!recovery) return readerElsewhere(name);
    const points = await recoveryPoints(recovery.store, backup.cluster);
    const proven = points.filter(({ provenAt }) => provenAt !== undefined);
    const newest = proven.toSorted((a, b) => b.key.localeCompare(a.key))[0];
    return newest
      ? ok(name, `${newest.key} was restored whole by a drill, on ${newest.provenAt}.`)
      : warning(
          name,
          'No drill has restored one of those that are stored.',
          'Run: gitops recreate-cluster --backup latest --drill --wait',
        );
  },
};

/** @param server URL of the API server that is used @returns whether it is the one of the pod in which this runs */
function runsIn(server: string | undefined): boolean {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  return host !== undefined && URL.parse(server ?? '')?.hostname.replaceAll(/[[\]]/g, '') === host;
}

/** @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
const isServiceName = (host: string): boolean => /\.svc(\.|$)/.test(host);

const servicesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      status: z
        .object({
          loadBalancer: z
            .object({ ingress: z.array(z.object({ ip: z.string().optional() })).optional() })
            .optional(),
        })
        .optional(),
    }),
  ),
});

/** The Service of the cluster that a name resolves to, as far as we may see them. */
async function serviceAt(host: string, kubernetes: Kubernetes): Promise<string | undefined> {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const services = async (fieldSelector: string) =>
    servicesSchema.parse(await kubernetes.get('/api/v1/services', { fieldSelector })).items;
  try {
    for (const { address } of addresses) {
      const balanced = (await services('spec.type=LoadBalancer')).filter(({ status }) =>
        status?.loadBalancer?.ingress?.some(({ ip }) => ip === address),
      );
      const [found] = [...(await services(`spec.clusterIP=${address}`)), ...balanced];
      if (found) return `Service ${found.metadata.namespace}/${found.metadata.name}`;
    }
  } catch (error) {
    // Others say what we may not, and that it is away.
    if (!(error instanceof KubernetesError)) throw error;
  }
  return undefined;
}
