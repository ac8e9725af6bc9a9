import type { Config } from './schema.ts';

export type SourceConfig = NonNullable<Config['services']['explicit'][string]['source']>;

/** A repository that holds the source of services, and not their manifests. */
export interface SourceRepository {
  /** By which what is known of it is kept. */
  key: string;
  /** As the first of its services has it. */
  source: SourceConfig;
  /** Names of services. */
  services: string[];
}

/** The repository that a service's source is in; undefined where that is the platform's. */
export const sourceConfigOf = (
  { services }: Pick<Config, 'services'>,
  service: string,
): SourceConfig | undefined =>
  Object.hasOwn(services.explicit, service) ? services.explicit[service]?.source : undefined;

/** What `sourceConfigOf` says of all services, each repository once. */
export function sourceRepositories({ services }: Pick<Config, 'services'>): SourceRepository[] {
  const found = new Map<string, SourceRepository>();
  for (const [name, { source }] of Object.entries(services.explicit)) {
    if (!source) continue;
    const key = sourceKey(source);
    const known = found.get(key);
    if (known) known.services.push(name);
    else found.set(key, { key, source, services: [name] });
  }
  return [...found.values()];
}

export const sourceKey = ({ repository, branch }: Pick<SourceConfig, 'repository' | 'branch'>): string =>
  `${repository}#${branch}`;

/** The branch whose commits are changes of a service. */
export const branchOf = (config: Pick<Config, 'services' | 'repository'>, service: string): string =>
  sourceConfigOf(config, service)?.branch ?? config.repository.branch;
