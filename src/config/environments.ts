import { NotConfigured } from './not-configured.ts';
import type { Config, EnvironmentConfig } from './schema.ts';

/** @throws NotConfigured that lists the environments there are */
export function environmentOf(config: Config, name: string): EnvironmentConfig {
  const found = config.environments.find((environment) => environment.name === name);
  if (found) return found;
  throw new NotConfigured(noSuchEnvironment(config, name));
}

export const isConfigured = ({ environments }: Pick<Config, 'environments'>, name: string): boolean =>
  environments.some((environment) => environment.name === name);

/** What to tell whoever names an environment that there is not. */
export const noSuchEnvironment = ({ environments }: Pick<Config, 'environments'>, name: string): string =>
  `There is no environment ${name}. There are: ${environments.map((environment) => environment.name).join(', ')}.`;

export const namespaceOf = (config: Config, environment: string): string =>
  environmentOf(config, environment).namespace ?? defaultNamespace(config.platform, environment);

export const defaultNamespace = (platform: string, environment: string): string =>
  `${platform}-${environment}`;

/** Name of the Argo CD Application; as Argo CD writes it, `<namespace>/<name>`, where it lies in another namespace. */
export function applicationName(config: Config, service: string, environment: string): string {
  const name = environmentOf(config, environment)
    .application.replaceAll('{service}', service)
    .replaceAll('{environment}', environment);
  const namespace = applicationNamespace(config, environment);
  return namespace === config.argocd.namespace ? name : `${namespace}/${name}`;
}

export const applicationNamespace = (config: Config, environment: string): string =>
  environmentOf(config, environment).applicationNamespace ?? config.argocd.namespace;
