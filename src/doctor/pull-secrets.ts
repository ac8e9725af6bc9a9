import { z } from 'zod';
import { namespaceOf } from '../config/environments.ts';
import { isForbidden } from '../systems/kubernetes/index.ts';
import { namespacePath } from '../systems/kubernetes/namespaces.ts';
import { failed, notLookedAt, ok, warning, type Check, type Finding } from './check.ts';
import type { World } from './world.ts';

const secretSchema = z.object({ type: z.string() });
const pullTypes = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg'];

/** The secrets that pods pull their images with. */
export const pullSecrets: Check = {
  name: 'pull secrets',
  async *look({ config, kubernetes }) {
    const namespaces = [...new Set(config.environments.map(({ name }) => namespaceOf(config, name)))];
    const wanted = config.registry.pullSecrets.flatMap((secret) =>
      namespaces.map((namespace) => ({ secret, namespace })),
    );
    for (const { secret, namespace } of wanted) yield await onSecret(kubernetes, namespace, secret);
  },
};

async function onSecret(
  kubernetes: World['kubernetes'],
  namespace: string,
  secret: string,
): Promise<Finding> {
  const name = `pull secret ${secret} in ${namespace}`;
  try {
    const found = await (await kubernetes()).get(`${namespacePath(namespace)}/secrets/${secret}`);
    if (found === undefined) {
      const create = `kubectl -n ${namespace} create secret docker-registry ${secret} --docker-server=… --docker-username=… --docker-password=…`;
      return failed(name, 'It is not there: pods could not pull their images.', `Create it: ${create}`);
    }
    const { type } = secretSchema.parse(found);
    if (pullTypes.includes(type)) return ok(name, 'It is there.');
    return failed(name, `It is of type ${type}.`, `Create it again as ${pullTypes[0]}.`);
  } catch (error) {
    if (!isForbidden(error)) return notLookedAt(name, 'the cluster');
    const remedy = 'Look yourself, or let this account get secrets of that name.';
    return warning(name, 'We may not look whether it is there.', remedy);
  }
}
