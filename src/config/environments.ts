import type { Config, EnvironmentConfig } from './schema.ts';

/** @throws Error that lists the environments there are */
export function environmentOf(config: Config, name: string): EnvironmentConfig {
  const found = config.environments.find((environment) => environment.name === name);
  if (found) return found;
  const names = config.environments.map((environment) => environment.name).join(', ');
  throw new Error(`There is no environment ${name}. There are: ${names}.`);
}

export const namespaceOf = (config: Config, environment: string): string =>
  environmentOf(config, environment).namespace ?? `${config.platform}-${environment}`;

/** Name of the Argo CD Application. */
export const applicationName = (config: Config, service: string, environment: string): string =>
  environmentOf(config, environment)
    .application.replaceAll('{service}', service)
    .replaceAll('{environment}', environment);
