import type { Config, EnvironmentConfig } from './schema.ts';

/** @throws Error that lists the environments there are */
export function environmentOf(config: Config, name: string): EnvironmentConfig {
  const found = config.environments.find((environment) => environment.name === name);
  if (found) return found;
  throw new Error(noSuchEnvironment(config, name));
}

/** What to tell whoever names an environment that there is not. */
export const noSuchEnvironment = ({ environments }: Pick<Config, 'environments'>, name: string): string =>
  `There is no environment ${name}. There are: ${environments.map((environment) => environment.name).join(', ')}.`;

export const namespaceOf = (config: Config, environment: string): string =>
  environmentOf(config, environment).namespace ?? defaultNamespace(config.platform, environment);

export const defaultNamespace = (platform: string, environment: string): string =>
  `${platform}-${environment}`;

/** Name of the Argo CD Application. */
export const applicationName = (config: Config, service: string, environment: string): string =>
  environmentOf(config, environment)
    .application.replaceAll('{service}', service)
    .replaceAll('{environment}', environment);
