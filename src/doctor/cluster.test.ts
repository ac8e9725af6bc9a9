import { expect, test } from 'vitest';
import { configuration, least } from '../../test/support/configuration.ts';
import type { Kubernetes } from '../systems/kubernetes/index.ts';
import { cluster } from './cluster.ts';
import type { World } from './world.ts';

interface Review {
  spec: { resourceAttributes: { namespace: string; resource: string; verb: string } };
}

/** A cluster with Argo CD in it, by its answers. */
function worldOf({
  applicationNamespace,
  namespaces,
  may = () => true,
}: {
  applicationNamespace?: string;
  /** Argo CD's setting. */
  namespaces?: string;
  may?: (right: Review['spec']['resourceAttributes']) => boolean;
}): World {
  const [dev, production] = least.environments;
  const config = configuration({
    environments: [
      { ...dev, ...(applicationNamespace !== undefined && { applicationNamespace }) },
      production,
    ],
  });
  const answers: Record<string, unknown> = {
    '/version': {},
    '/apis/argoproj.io/v1alpha1': {},
    '/api/v1/namespaces/argocd/configmaps/argocd-cm': {},
    '/api/v1/namespaces/argocd/pods': {
      items: [{ status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
    },
    ...(namespaces !== undefined && {
      '/api/v1/namespaces/argocd/configmaps/argocd-cmd-params-cm': {
        data: { 'application.namespaces': namespaces },
      },
    }),
  };
  const kubernetes = {
    config: { getCurrentCluster: () => null },
    get: async (path: string) => answers[path],
    post: async (_: string, body: unknown) => ({
      status: { allowed: may((body as Review).spec.resourceAttributes) },
    }),
  } as unknown as Kubernetes;
  const argocd = { kustomizeBuildOptions: async () => [] };
  return { config, kubernetes: async () => kubernetes, argocd: async () => argocd } as unknown as World;
}

const findings = (world: World) => Array.fromAsync(cluster.look(world));
const problems = async (world: World) => (await findings(world)).filter(({ state }) => state !== 'ok');

test('an account that may not delete Applications is told so before a removal is refused', async () => {
  const world = worldOf({ may: ({ resource, verb }) => resource !== 'applications' || verb !== 'delete' });
  expect(await problems(world)).toEqual([
    expect.objectContaining({ state: 'failed', detail: 'We may not delete applications in argocd.' }),
  ]);
  expect(await problems(worldOf({}))).toEqual([]);
});

test.each(['team-a', 'team-*', 'other, team-?', '/^team-[a-z]$/'])(
  'a namespace of Applications that %s of Argo CD names is fine',
  async (namespaces) => {
    expect(await findings(worldOf({ applicationNamespace: 'team-a', namespaces }))).toContainEqual(
      expect.objectContaining({ name: 'Applications in team-a', state: 'ok' }),
    );
  },
);

test.each([undefined, '', 'team-b', 'apps-*', 'team'])(
  'a namespace of Applications that Argo CD does not look at (%s) is told, with what to change',
  async (namespaces) => {
    const world = worldOf({
      applicationNamespace: 'team-a',
      ...(namespaces !== undefined && { namespaces }),
    });
    expect(await problems(world)).toEqual([
      {
        name: 'Applications in team-a',
        state: 'failed',
        detail:
          'Argo CD does not look at namespace team-a, where environments.applicationNamespace says that Applications lie.',
        remedy: expect.stringContaining('Add team-a to application.namespaces'),
      },
    ]);
  },
);
