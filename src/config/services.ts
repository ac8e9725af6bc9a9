import { posix } from 'node:path';
import picomatch from 'picomatch';
import { nameSchema } from '../model/names.ts';
import { manifestsPath, overlayPath, releasePath } from './paths.ts';
import type { Config } from './schema.ts';
import { sourceConfigOf, type SourceConfig } from './sources.ts';
import type { LayoutProblem } from './tree.ts';

export interface Service {
  name: string;
  /** Set where its source lies in another repository than its manifests: then all paths but `manifests` are of that. */
  source?: SourceConfig;
  /** Folder of its source. */
  path: string;
  /** Globs of all that belongs to it. */
  paths: string[];
  /** Globs of what changes it no more than what is elsewhere. */
  ignore?: string[];
  /** Globs of what promotions write, where its source is: that changes nobody. */
  releases: string[];
  /** Image name without tag; absent for a service without image. */
  image?: string;
  /** Absent: the Dockerfile's `test` target, where there is one. */
  test?: string[];
  /** What its image is built from; absent, like the next ones, for a service without image. */
  context?: string;
  dockerfile?: string;
  buildArgs?: Record<string, string>;
  /** Stage of the Dockerfile; absent: the last. */
  target?: string;
  /** Folder with `overlays/<environment>/`, and as a rule `base/`. */
  manifests: string;
  /** Folder of what each release begins with: in the repository of its source, where `source.base` says so. */
  base: string;
}

/**
 * The services of a platform, by name: the explicit ones and those that are found.
 *
 * @param files paths of all files in the repository
 */
export function listServices(config: Config, files: readonly string[]): Map<string, Service> {
  const services = new Map<string, Service>();
  for (const [name, folders] of foldersByName(config, files)) {
    const [folder] = folders;
    // Of two folders of one name nobody can say which is meant: `noServices` tells.
    if (folder === undefined || folders.length > 1) continue;
    if (nameSchema.safeParse(name).success) services.set(name, discovered(config, name, folder));
  }
  for (const [name, explicit] of Object.entries(config.services.explicit)) {
    const { source, path, paths, image, test, context, dockerfile, target, buildArgs } = explicit;
    const { image: imageName, context: usual, dockerfile: own, ...rest } = discovered(config, name, path);
    services.set(name, {
      ...rest,
      ...(source && { source, base: source.base ?? rest.base, releases: [] }),
      ...(image && {
        image: imageName,
        context: context ?? usual,
        dockerfile: dockerfile ?? own,
        ...(Object.keys(buildArgs).length > 0 && { buildArgs }),
        ...(target !== undefined && { target }),
      }),
      ...(test && { test }),
      // Manifests and what services share are files of the platform's repository.
      paths: source
        ? [posix.join(path, '**'), ...paths, ...(source.base === undefined ? [] : [`${source.base}/**`])]
        : [...new Set([...rest.paths, ...paths])],
    });
  }
  return services;
}

/** Folders that look like services and are none, with the reason. */
export function noServices(config: Config, files: readonly string[]): { folder: string; reason: string }[] {
  const { explicit } = config.services;
  return [...foldersByName(config, files)].flatMap(([name, folders]) => {
    if (Object.hasOwn(explicit, name)) return [];
    const wrong = nameSchema.safeParse(name).error?.issues[0]?.message;
    const reason =
      wrong === undefined
        ? `there is more than one folder of the name ${name}: ${folders.join(', ')}. Rename one, or name it in services.explicit`
        : `${name} is no name for a service (${wrong}). Rename the folder, or leave it out of services.discover`;
    return wrong === undefined && folders.length === 1 ? [] : folders.map((folder) => ({ folder, reason }));
  });
}

/** Patterns that match nothing: mistyped, or what they named has moved. */
export function idlePatterns(config: Config, files: readonly string[]): LayoutProblem[] {
  const { services } = config;
  const folders = buildable(files);
  const idle = services.discover
    .filter((pattern) => !folders.some((folder) => picomatch.isMatch(folder, pattern)))
    .map((path) => ({
      path,
      message: 'no folder with a Dockerfile is found here: correct services.discover',
    }));
  const here = Object.keys(services.explicit).filter((name) => !sourceConfigOf(config, name));
  return [
    ...idle,
    ...patternProblems('services.shared', services.shared, files),
    ...idlePaths(config, here, files),
  ];
}

/** The same of what else belongs to some services, in the repository of their source. */
export const idlePaths = (
  { services }: Config,
  names: readonly string[],
  files: readonly string[],
): LayoutProblem[] =>
  names.flatMap((name) =>
    patternProblems(`services.explicit.${name}.paths`, services.explicit[name]?.paths ?? [], files),
  );

const patternProblems = (key: string, patterns: string[], files: readonly string[]): LayoutProblem[] =>
  patterns
    .filter((pattern) => !files.some((file) => picomatch.isMatch(file, pattern, { dot: true })))
    .map((path) => ({
      path,
      message: `no file is found here: correct ${key}, where a whole folder is written libs/**`,
    }));

/** The folders that `discover` finds, by the name that each gives its service. */
function foldersByName({ services }: Config, files: readonly string[]): Map<string, string[]> {
  if (services.discover.length === 0) return new Map();
  const isWanted = picomatch(services.discover);
  const folders = buildable(files).filter((folder) => isWanted(folder));
  return Map.groupBy(folders, (folder) => folder.split('/').at(-1) ?? folder);
}

/** A service as the repository of its manifests has it, where that is not the one of its source. */
export function manifestsOnly(config: Config, service: Service): Service {
  const { source: _, ...there } = service;
  const { manifests } = there;
  return { ...there, paths: [`${manifests}/**`], releases: releasesOf(config), base: `${manifests}/base` };
}

/** Whether a service brings its base along with its source. */
export const bringsBase = ({ source }: Pick<Service, 'source'>): boolean => source?.base !== undefined;

/** Folders with a Dockerfile. */
const buildable = (files: readonly string[]): string[] =>
  files.filter((file) => file.endsWith('/Dockerfile')).map((file) => file.slice(0, -'/Dockerfile'.length));

/** Without tag. */
export const imageNameOf = ({ registry }: Pick<Config, 'registry'>, service: string): string =>
  registry.image.replaceAll('{service}', service);

/** Of every service, since what several share may hold the folders of others. */
export const releasesOf = (config: Config): string[] =>
  config.environments.map(({ name }) => `${releasePath({ manifests: manifestsPath(config, '*') }, name)}/**`);

function discovered(config: Config, name: string, path: string) {
  const manifests = manifestsPath(config, name);
  const { context, shared, ignore, test } = config.services;
  return {
    name,
    path,
    paths: [posix.join(path, '**'), `${manifests}/**`, ...shared],
    ...(ignore.length > 0 && { ignore }),
    releases: releasesOf(config),
    image: imageNameOf(config, name),
    ...(test && { test }),
    context: context === 'repository' ? '.' : path,
    dockerfile: posix.join(path, 'Dockerfile'),
    manifests,
    base: `${manifests}/base`,
  };
}

/** Whether a file lies in a folder; all of them lie in `.`. */
export const isIn = (file: string, folder: string): boolean =>
  folder === '.' || file.startsWith(`${folder}/`);

/** A commit has thousands of paths, and patterns take long to read. */
const owners = new WeakMap<Service, (path: string) => boolean>();

/** Whether a path belongs to a service. */
export function ownsPath(service: Service, path: string): boolean {
  const { paths, releases, ignore = [] } = service;
  const owns =
    owners.get(service) ??
    // A `.dockerignore` is a change like any other.
    picomatch(paths, { dot: true, ignore: [...releases, ...ignore] });
  owners.set(service, owns);
  return owns(path);
}

/** Whether a path is of what people write beside an environment's release. */
export const changesOverlay = (service: Service, environment: string, path: string): boolean =>
  path.startsWith(`${overlayPath(service, environment)}/`) && ownsPath(service, path);
