import type { Config } from '../config/schema.ts';
import { isReadable, secretsIn } from '../config/secrets.ts';
import { pathText } from '../config/yaml-positions.ts';
import type { Queue } from '../model/temporal/task-queues.ts';

/** The parts of the configuration whose secrets the work of a queue takes. */
const needs: Record<Queue, (config: Config) => object> = {
  build: ({ repository, services, registry, objects }) => ({
    ...{ repository, services: sourcesIn(services), registry, objects },
  }),
  delivery: ({ repository, services, forge: { token }, objects }) => ({
    ...{ repository, services: sourcesIn(services), forge: { token }, objects },
  }),
  production: ({ repository, services, forge: { token }, objects, backup }) => ({
    ...{ repository, services: sourcesIn(services), forge: { token }, objects },
    backup: { ...backup, recovery: undefined },
  }),
  recovery: ({ objects, backup }) => ({ objects, backup: { recovery: backup?.recovery } }),
  wait: ({ repository }) => ({ repository }),
};

/** Of all else that is said of a service nothing is a secret. */
const sourcesIn = ({ explicit }: Config['services']) => ({
  explicit: Object.fromEntries(Object.entries(explicit).map(([name, { source }]) => [name, { source }])),
});

/** Secrets that workers of some queues need and that are not here: `forge.token (env:FORGE_TOKEN)`. */
export function missingSecrets(config: Config, queues: readonly Queue[]): string[] {
  const missing = queues
    // Whatever they do, payloads are encrypted.
    .flatMap((queue) => secretsIn({ temporal: config.temporal, ...needs[queue](config) }))
    .filter(({ reference }) => !isReadable(reference))
    .map(({ path, reference }) => `${pathText(path)} (${reference})`);
  return [...new Set(missing)];
}
