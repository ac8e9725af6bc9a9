import picomatch from 'picomatch';
import { nameSchema } from '../model/names.ts';
import type { Config } from './schema.ts';

export interface Service {
  name: string;
  /** Folder of its source. */
  path: string;
  /** Globs of all that belongs to it. What a promotion writes never does. */
  paths: string[];
  /** Image name without tag; absent for a service without image. */
  image?: string;
  /** Absent: the Dockerfile's `test` target, where there is one. */
  test?: string[];
  dockerfile?: string;
  /** Folder with `base/` and `overlays/<environment>/`. */
  manifests: string;
}

const fill = (pattern: string, service: string): string => pattern.replaceAll('{service}', service);

/**
 * The services of a platform, by name: the explicit ones and those that are found.
 *
 * @param files paths of all files in the repository
 */
export function listServices(config: Config, files: readonly string[]): Map<string, Service> {
  const { discover, explicit } = config.services;
  const services = new Map<string, Service>();
  for (const folder of foldersWithDockerfile(discover, files)) {
    const name = folder.split('/').at(-1) ?? folder;
    if (nameSchema.safeParse(name).success) services.set(name, discovered(config, name, folder));
  }
  for (const [name, { path, paths, image, test }] of Object.entries(explicit)) {
    const found = discovered(config, name, path);
    const { image: imageName, dockerfile, ...rest } = found;
    services.set(name, {
      ...rest,
      ...(image && { image: imageName, dockerfile }),
      ...(test && { test }),
      paths: [...new Set([...found.paths, ...paths])],
    });
  }
  return services;
}

function foldersWithDockerfile(patterns: readonly string[], files: readonly string[]): string[] {
  if (patterns.length === 0) return [];
  const isWanted = picomatch([...patterns]);
  return files
    .filter((file) => file.endsWith('/Dockerfile'))
    .map((file) => file.slice(0, -'/Dockerfile'.length))
    .filter((folder) => isWanted(folder));
}

function discovered(config: Config, name: string, path: string) {
  const manifests = fill(config.manifests, name);
  const { shared, test } = config.services;
  return {
    name,
    path,
    paths: [`${path}/**`, `${manifests}/**`, ...shared],
    image: fill(config.registry.image, name),
    ...(test && { test }),
    dockerfile: `${path}/Dockerfile`,
    manifests,
  };
}

/** Whether a path belongs to a service; `release/` folders are this program's own and belong to none. */
export function ownsPath(service: Service, path: string): boolean {
  return !picomatch.isMatch(path, '**/overlays/*/release/**') && picomatch.isMatch(path, service.paths);
}
