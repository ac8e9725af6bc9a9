import type { RecreationSystems } from '../activities/recreation/systems.ts';
import type { Systems } from '../activities/systems.ts';
import type { Config } from '../config/schema.ts';
import { isReadable, secretsIn } from '../config/secrets.ts';
import { pathText } from '../config/yaml-positions.ts';
import type { Queue } from '../model/temporal/task-queues.ts';

type AllSystems = Systems & RecreationSystems;

/** All that carries a release to an environment. */
const promoting = ['config', 'repository', 'sourceOf', 'forge', 'objects', 'argocd', 'temporal'] as const;

/** What the activities of each queue can reach: they are given no other system, and a worker has the secrets of these. */
export const reach = {
  build: ['config', 'repository', 'sourceOf', 'images', 'objects', 'commands'],
  delivery: promoting,
  production: [...promoting, 'recreations', 'kubernetes', 'backups', 'scratch'],
  recovery: ['config', 'objects', 'recovery', 'clusterOf', 'temporal', 'scratch'],
  wait: ['config', 'repository', 'objects', 'argocd', 'temporal', 'recreations'],
} as const satisfies Record<Queue, readonly (keyof AllSystems)[]>;

export type Reached<Q extends Queue> = Pick<AllSystems, (typeof reach)[Q][number]>;

/** The parts of the configuration whose secrets a system takes. */
const needs: Partial<Record<keyof AllSystems, (config: Config) => object>> = {
  repository: ({ repository }) => ({ repository }),
  sourceOf: ({ services }) => ({ services: sourcesIn(services) }),
  forge: ({ forge: { token } }) => ({ forge: { token } }),
  images: ({ registry }) => ({ registry }),
  objects: ({ objects }) => ({ objects }),
  backups: ({ backup }) => ({ backup: { ...backup, recovery: undefined } }),
  recovery: ({ backup }) => ({ backup: { recovery: backup?.recovery } }),
};

/** Of all else that is said of a service nothing is a secret. */
const sourcesIn = ({ explicit }: Config['services']) => ({
  explicit: Object.fromEntries(Object.entries(explicit).map(([name, { source }]) => [name, { source }])),
});

/** Secrets that workers of some queues need and that are not here: `forge.token (env:FORGE_TOKEN)`. */
export function missingSecrets(config: Config, queues: readonly Queue[]): string[] {
  const parts = queues.flatMap((queue) => reach[queue].map((system) => needs[system]?.(config)));
  // Whatever they do, payloads are encrypted.
  const missing = [{ temporal: config.temporal }, ...parts]
    .flatMap((part) => secretsIn(part))
    .filter(({ reference }) => !isReadable(reference))
    .map(({ path, reference }) => `${pathText(path)} (${reference})`);
  return [...new Set(missing)];
}
